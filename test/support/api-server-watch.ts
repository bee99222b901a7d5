import type { ApiServerOptions } from './api-server.ts';
import { type Answer, json, status } from './api-server-answers.ts';

/** A watch in which nothing happens until its time is over, and the two errors that come as an event. */
export function watchAnswer(query: URLSearchParams, options: ApiServerOptions): Answer {
  if (/^(1|true)$/.test(query.get('sendInitialEvents') ?? '')) {
    const message =
      'a watch stream was requested by the client but the required storage feature RequestWatchProgress is disabled';
    return errorEvent(status(500, message));
  }
  const newest = options.resourceVersion ?? 1000;
  const version = Number(query.get('resourceVersion') ?? newest);
  if (version > 0 && version < newest / 2) {
    return errorEvent(status(410, `too old resource version: ${version} (${newest})`));
  }
  const waitMs = Number(query.get('timeoutSeconds') ?? 0) * (options.secondMs ?? 1000);
  return { ...json({}), body: Buffer.alloc(0), stream: true, waitMs };
}

const errorEvent = ({ body }: Answer): Answer => ({
  ...json({ type: 'ERROR', object: JSON.parse(body.toString()) }),
  stream: true,
});
