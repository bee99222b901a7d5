/**
 * Checks the schema tables against Kubernetes' own sources:
 *
 *   go mod download k8s.io/api@v0.37.2 k8s.io/apimachinery@v0.37.2
 *   node scripts/check-schema.ts "$(go env GOMODCACHE)"/k8s.io/{api,apimachinery}@v0.37.2
 *
 * Numbers and types are compared with the `generated.proto` files; whether a field keeps its empty value, with the Go
 * types: a pointer or a field without `omitempty` keeps it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { resources } from '../src/cluster/kinds.ts';
import { type ApiKind, messages } from '../src/objects/kinds-schema.ts';
import type { Field, Message } from '../src/objects/schema.ts';

interface ProtoField {
  readonly number: number;
  readonly type: string;
  readonly repeated: boolean;
}

interface GoField {
  readonly type: string;
  readonly omitEmpty: boolean;
}

const protos = new Map<string, Map<string, ProtoField>>();
const structs = new Map<string, Map<string, GoField>>();

const PACKAGES = { 'k8s.io.apimachinery.pkg.apis.meta.v1': 'pkg/apis/meta/v1' };
const [api, machinery] = process.argv.slice(2);
if (api === undefined || machinery === undefined) {
  console.error('Usage: node scripts/check-schema.ts <folder of k8s.io/api> <folder of k8s.io/apimachinery>');
  process.exit(2);
}

for (const group of new Set(['v1', ...Object.values(resources).map((resource) => resource.groupVersion)])) {
  const folder = group === 'v1' ? 'core/v1' : group.replace('.k8s.io', '');
  load(packageOf(group), join(api, folder));
}
for (const [name, folder] of Object.entries(PACKAGES)) load(name, join(machinery, folder));

function packageOf(groupVersion: string): string {
  const folder = groupVersion === 'v1' ? 'core/v1' : groupVersion.replace('.k8s.io', '');
  return `k8s.io.api.${folder.replace('/', '.')}`;
}

function load(name: string, folder: string): void {
  const proto = readFileSync(join(folder, 'generated.proto'), 'utf8').replace(/\/\/.*$/gm, '');
  for (const [, message = '', body = ''] of proto.matchAll(/message (\w+) \{([^}]*)\}/g)) {
    const fields = new Map<string, ProtoField>();
    for (const field of body.matchAll(/(optional|repeated|map<.+>)\s+(?:([\w.]+)\s+)?(\w+)\s*=\s*(\d+);/g)) {
      const [, label = '', type = '', jsonName = '', number] = field;
      const map = label.startsWith('map');
      fields.set(jsonName === 'Webhooks' ? 'webhooks' : jsonName, {
        number: Number(number),
        type: map ? label.replaceAll(' ', '') : type,
        repeated: label === 'repeated',
      });
    }
    protos.set(`${name}.${message}`, fields);
  }
  for (const file of readdirSync(folder).filter((file) => /types.*\.go$/.test(file))) loadGo(name, join(folder, file));
}

function loadGo(name: string, file: string): void {
  for (const [, struct = '', body = ''] of readFileSync(file, 'utf8').matchAll(/^type (\w+) struct \{\n(.*?)^\}/gms)) {
    const fields = new Map<string, GoField>();
    for (const [, type = '', tag = ''] of body.matchAll(/^\s+(?:\w+\s+)?([^\s`]+)\s+`json:"([^"]*)"/gm)) {
      const [jsonName, ...options] = tag.split(',');
      if (jsonName) fields.set(jsonName, { type, omitEmpty: options.includes('omitempty') });
    }
    structs.set(`${name}.${struct}`, fields);
  }
}

const problems = new Set<string>();
let checked = 0;

function check(message: Message, name: string): void {
  const fields = protos.get(name);
  if (fields === undefined) return void problems.add(`${name}: no such message`);
  for (const [fieldName, field] of Object.entries(message.fields)) {
    checked++;
    const proto = fields.get(fieldName);
    const where = `${name}.${fieldName}`;
    if (proto === undefined) problems.add(`${where}: no such field`);
    else checkField(where, field, proto, name, structs.get(name)?.get(fieldName));
  }
  if (message.inlined === undefined) return;
  const embedded = [...fields.values()].find((field) => field.number === message.inlined?.number);
  if (embedded === undefined) problems.add(`${name}: nothing is inlined as ${message.inlined.number}`);
  else check(message.inlined.message, full(name, embedded.type));
}

const full = (within: string, type: string): string =>
  type.includes('.') ? type.replace(/^\./, '') : `${within.slice(0, within.lastIndexOf('.'))}.${type}`;

function checkField(where: string, field: Field, proto: ProtoField, within: string, go: GoField | undefined): void {
  if (proto.number !== field.number) problems.add(`${where}: number ${field.number} should be ${proto.number}`);
  if (proto.repeated !== field.repeated) problems.add(`${where}: repeated should be ${proto.repeated}`);
  const types = typesOf(proto.type);
  if (typeof field.type === 'object') {
    if (types !== undefined) problems.add(`${where}: a message, should be ${types.join(' or ')}`);
    else check(field.type, full(within, proto.type));
  } else if (types?.includes(field.type) !== true) {
    problems.add(`${where}: ${field.type} should be ${types?.join(' or ') ?? proto.type}`);
  }
  if (field.repeated || types?.[0] === 'strings' || types?.[0] === 'quantities' || go === undefined) return;
  const keeps = go.type.startsWith('*') || (types !== undefined && !go.omitEmpty);
  if (['string', 'time', 'microTime', 'quantity', 'json'].includes(field.type as string)) return;
  if (field.lazy !== true && keeps !== field.keepsEmpty)
    problems.add(`${where}: keepsEmpty should be ${keeps} (${go.type})`);
}

function typesOf(type: string): readonly string[] | undefined {
  if (type.startsWith('map<')) return type.includes('Quantity') ? ['quantities'] : ['strings', 'keys'];
  const scalars: Record<string, string> = {
    string: 'string',
    int32: 'int',
    int64: 'int',
    bool: 'bool',
    Time: 'time',
    MicroTime: 'microTime',
    Quantity: 'quantity',
    IntOrString: 'intOrString',
    RawExtension: 'json',
  };
  const scalar = scalars[type.slice(type.lastIndexOf('.') + 1)];
  return scalar === undefined ? undefined : [scalar];
}

for (const kind of Object.keys(messages) as ApiKind[]) {
  check(messages[kind], `${packageOf(resources[kind].groupVersion)}.${kind}`);
}
for (const problem of problems) console.error(problem);
console.log(`${checked} fields checked, ${problems.size} differ.`);
process.exitCode = problems.size === 0 ? 0 : 1;
