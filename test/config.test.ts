import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configPath, loadConfig } from '../src/cli/config-file.ts';
import { defaults } from '../src/config.ts';
import { parseConfig } from '../src/config-schema.ts';
import { PodlensError } from '../src/errors.ts';

test('an empty file is the defaults', () => {
  expect(parseConfig('', '/etc/podlens.yaml')).toEqual(defaults);
  expect(parseConfig('# nothing\ncache: {}\n', '/etc/podlens.yaml')).toEqual(defaults);
});

test('a full file; its paths start beside it', () => {
  const text = `
backends:
  - name: corp
    provider: openai
    model: big
    baseUrl: https://llm.corp/v1
    keyCommand: pass show corp
    headers: { X-Team: sre }
    caFile: ca.pem
    timeoutSeconds: 30
  - { name: local, provider: ollama, keepAlive: "-1", contextLength: 16384, temperature: 0.5 }
default: local
language: pt-BR
anonymize: false
cache: { maxAgeDays: 7 }
prompts: { system: prompts/system.md }
analyze: { filter: "Pod, Node", namespace: [shop], failOn: warning, explain: true }
plugins: [./quota.ts, podlens-extra]
`;
  expect(parseConfig(text, '/etc/podlens/config.yaml')).toEqual({
    backends: [
      {
        name: 'corp',
        provider: 'openai',
        model: 'big',
        baseUrl: 'https://llm.corp/v1',
        keyCommand: 'pass show corp',
        headers: { 'X-Team': 'sre' },
        caFile: '/etc/podlens/ca.pem',
        timeoutSeconds: 30,
      },
      { name: 'local', provider: 'ollama', keepAlive: '-1', contextLength: 16384, temperature: 0.5 },
    ],
    default: 'local',
    language: 'pt-BR',
    anonymize: false,
    cache: { enabled: true, maxAgeDays: 7, maxSizeMb: 50 },
    prompts: { system: '/etc/podlens/prompts/system.md' },
    analyze: { filter: ['Pod', 'Node'], namespace: ['shop'], failOn: 'warning', explain: true },
    plugins: ['/etc/podlens/quota.ts', 'podlens-extra'],
  });
});

describe('a wrong file says where, and what was expected', () => {
  test.each<[string, string, readonly string[]]>([
    [
      'several things at once',
      'backends:\n- { provder: openai, name: "a b", baseUrl: ftp://x, timeoutSeconds: "3", keyCommand: 7 }\ncache: { enabled: 7, maxAgeDays: -1 }\nanalyze: { failOn: bad }\ncahce: 3',
      [
        'backends[0].name: expected a name of letters, digits, ".", "_" and "-"',
        'backends[0].provider: this is missing; expected text',
        'backends[0].baseUrl: expected a URL that begins with http:// or https://',
        'backends[0].keyCommand: expected text or a list of texts',
        'backends[0].timeoutSeconds: expected a number',
        'backends[0].provder: there is no such setting; did you mean "provider"?',
        'cache.enabled: expected true or false',
        'cache.maxAgeDays: expected more than 0',
        'analyze.failOn: expected one of critical, warning, info',
        'cahce: there is no such setting; did you mean "cache"?',
      ],
    ],
    [
      'nothing near',
      'cache: { x: 1 }',
      ['cache.x: there is no such setting; expected one of enabled, maxAgeDays, maxSizeMb'],
    ],
    ['a list', '- 1', ['the file: expected a map of settings']],
    [
      'a name twice',
      'backends: [{ name: a, provider: ollama }, { name: a, provider: openai }]',
      ['backends: the name "a" is given twice'],
    ],
    [
      'no YAML',
      'a: [b',
      ['Flow sequence in block collection must be sufficiently indented and end with a ] at line 1, column 6:'],
    ],
  ])('%s', (_, text, lines) => {
    const message = ['The config file /c.yaml is not valid:', ...lines].join('\n  ');
    expect(() => parseConfig(text, '/c.yaml')).toThrow(expect.objectContaining({ code: 'config-invalid', message }));
  });

  test('and repeats no value: one of them may be a key', () => {
    const text =
      'backends: [{ name: a, provider: openai, key: [sk-canary], headers: sk-canary, temperature: sk-canary }]';
    let message = '';
    try {
      parseConfig(text, '/c.yaml');
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('backends[0].key: expected text');
    expect(message).not.toContain('canary');
  });
});

describe('finding the file', () => {
  test.each([
    [{ HOME: '/home/me' }, '/home/me/.config/podlens/config.yaml'],
    [{ HOME: '/home/me', XDG_CONFIG_HOME: '/etc/xdg' }, '/etc/xdg/podlens/config.yaml'],
    [{ HOME: '/home/me', XDG_CONFIG_HOME: '' }, '/home/me/.config/podlens/config.yaml'],
    [{ HOME: '/home/me', PODLENS_CONFIG: '/p.yaml' }, '/p.yaml'],
  ])('%j', (env, path) => {
    expect(configPath(env)).toBe(path);
  });

  const cwd = mkdtempSync(join(tmpdir(), 'podlens-config-'));
  const write = (name: string, text: string, mode = 0o600) => {
    writeFileSync(join(cwd, name), text);
    chmodSync(join(cwd, name), mode);
  };

  test('none is needed', async () => {
    expect(await loadConfig({ env: { HOME: cwd }, cwd })).toBe(defaults);
  });

  test.each([
    [{ env: { HOME: '/nowhere' }, path: 'no.yaml' }],
    [{ env: { HOME: '/nowhere', PODLENS_CONFIG: 'no.yaml' } }],
  ])('one that was named must be there: %j', async (options) => {
    const error = await loadConfig({ ...options, cwd }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(PodlensError);
    expect(error).toMatchObject({
      code: 'config-missing',
      message: `There is no config file at ${join(cwd, 'no.yaml')}.`,
    });
  });

  test('a flag comes before the environment', async () => {
    write('a.yaml', 'language: de');
    write('b.yaml', 'language: fr');
    const config = await loadConfig({ env: { PODLENS_CONFIG: 'b.yaml' }, cwd, path: 'a.yaml' });
    expect(config.language).toBe('de');
  });

  test.each([
    ['key: k', 0o644, 1],
    ['key: k', 0o600, 0],
    ['headers: { Authorization: k }', 0o640, 1],
    ['keyCommand: pass show k', 0o644, 0],
  ])('with "%s" and mode %o there are %i warnings', async (line, mode, expected) => {
    write('keys.yaml', `backends: [{ name: a, provider: openai, ${line} }]`, mode);
    const warnings: string[] = [];
    await loadConfig({ env: {}, cwd, path: 'keys.yaml', onWarning: (text) => warnings.push(text) });
    expect(warnings.length).toBe(expected);
    if (expected > 0) expect(warnings[0]).toContain(`chmod 600 ${join(cwd, 'keys.yaml')}`);
  });
});
