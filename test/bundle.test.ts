import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { bundleInto } from '../scripts/bundle.ts';
import { apiServer } from './support/api-server.ts';
import { simpleKubeconfig, tempFolder } from './support/kubeconfig.ts';
import { crashingPod } from './support/objects.ts';

// The other tests run the sources; this one runs what is installed, as on a terminal.

const folder = join(import.meta.dirname, '../node_modules/.cache/podlens-bundle');
beforeAll(() => bundleInto(folder));

const TERMINAL = `data:text/javascript,${encodeURIComponent('process.stderr.isTTY = true; process.stderr.columns = 80;')}`;

test('a cluster that takes a while is shown in progress, and then reported', async () => {
  const server = await apiServer({
    objects: [crashingPod('shop', 'web')],
    // Asking again takes until the bar is there.
    fault: ({ path, before }) => (path.endsWith('/events') && before < 3 ? { status: 500 } : undefined),
  });
  onTestFinished(() => server.close());
  const kubeconfig = simpleKubeconfig({ server: server.url });
  const args = ['--import', TERMINAL, join(folder, 'cli.js'), 'analyze', '-A', '--kubeconfig', kubeconfig];
  const env = { PATH: process.env['PATH'], HOME: tempFolder(), TERM: 'xterm' };
  const ran = await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, args, { env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
  expect(ran.stderr).toContain('Reading ');
  expect(ran.stderr).not.toContain('error');
  expect(ran.stdout).toContain('crash.app-error');
  expect(ran.code).toBe(0);
});
