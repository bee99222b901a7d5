import { onTestFinished } from 'vitest';
import { type CollectOptions, collect } from '../../src/cluster/collect.ts';
import type { Collected } from '../../src/cluster/collected.ts';
import { type ConnectOptions, connect } from '../../src/cluster/connect.ts';
import type { Pace } from '../../src/cluster/retry.ts';
import { type ApiServer, type ApiServerOptions, apiServer } from './api-server.ts';
import { simpleKubeconfig } from './kubeconfig.ts';

export interface Live {
  readonly server: ApiServer;
  /** What was waited for, in milliseconds; nothing is really waited for. */
  readonly waits: readonly number[];
  read(options: Partial<CollectOptions> & Pick<CollectOptions, 'kinds'>): Promise<Collected>;
}

/** A server, and podlens connected to it; both are gone after the test. */
export async function live(
  options: ApiServerOptions,
  connection: Partial<ConnectOptions> & { readonly user?: object; readonly namespace?: string } = {},
): Promise<Live> {
  const server = await apiServer(options);
  onTestFinished(() => server.close());
  const waits: number[] = [];
  const pace: Pace = {
    async sleep(ms) {
      waits.push(ms);
    },
    random: () => 0,
  };
  const { user = {}, namespace, ...more } = connection;
  const context = namespace === undefined ? {} : { namespace };
  return {
    server,
    waits,
    async read({ signal = new AbortController().signal, ...asked }) {
      const kubeconfig = simpleKubeconfig({ server: server.url }, user, context);
      const connected = await connect({ kubeconfig, env: {}, signal, ...more });
      onTestFinished(() => connected.transport.close());
      return collect(connected, { logs: false, pace, signal, ...asked });
    },
  };
}
