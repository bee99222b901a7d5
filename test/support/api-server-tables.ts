import type { ApiObject } from './api-server.ts';

interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

const column = (name: string, priority = 0, type = 'string'): Column => ({
  name,
  type,
  format: name === 'Name' ? 'name' : '',
  description: `${name} of the object.`,
  priority,
});

type Cells = readonly (readonly [Column, (object: ApiObject) => unknown])[];

const name: Cells[number] = [column('Name'), ({ metadata }) => metadata.name];
const age: Cells[number] = [column('Age'), () => '12m'];
const size = (value: unknown): number => Object.keys(value ?? {}).length;

interface PodLike {
  readonly spec?: { readonly nodeName?: string; readonly containers?: readonly unknown[] };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly containerStatuses?: readonly Status[];
  };
}

interface Status {
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string };
    readonly terminated?: { readonly reason?: string };
  };
}

const pod = (read: (pod: PodLike) => unknown) => (object: ApiObject) => read(object as PodLike);
const none = () => '<none>';

const ready = ({ spec, status }: PodLike) =>
  `${(status?.containerStatuses ?? []).filter((one) => one.ready === true).length}/${spec?.containers?.length ?? 0}`;

function reason({ status }: PodLike): string {
  for (const { state } of status?.containerStatuses ?? []) {
    const why = state?.waiting?.reason ?? state?.terminated?.reason;
    if (why !== undefined) return why;
  }
  return status?.phase ?? 'Unknown';
}

const restarts = ({ status }: PodLike) =>
  String((status?.containerStatuses ?? []).reduce((sum, one) => sum + (one.restartCount ?? 0), 0));

const tables: Readonly<Record<string, Cells>> = {
  Pod: [
    name,
    [column('Ready'), pod(ready)],
    [column('Status'), pod(reason)],
    [column('Restarts'), pod(restarts)],
    age,
    [column('IP', 1), pod(({ status }) => status?.podIP ?? '<none>')],
    [column('Node', 1), pod(({ spec }) => spec?.nodeName ?? '<none>')],
    [column('Nominated Node', 1), none],
    [column('Readiness Gates', 1), none],
  ],
  Secret: [name, [column('Type'), ({ type }) => type], [column('Data', 0, 'integer'), ({ data }) => size(data)], age],
  ConfigMap: [name, [column('Data', 0, 'integer'), ({ data, binaryData }) => size(data) + size(binaryData)], age],
};

/** Columns and rows as the API server prints them for kubectl. */
export function tableOf(kind: string, objects: readonly ApiObject[], included: string) {
  const cells = tables[kind] ?? [name, age];
  return {
    columnDefinitions: cells.map(([definition]) => definition),
    rows: objects.map((object) => ({
      cells: cells.map(([, read]) => read(object)),
      ...(included === 'None' ? {} : { object: includedObject(object, included) }),
    })),
  };
}

const includedObject = (object: ApiObject, included: string): object =>
  included === 'Object'
    ? object
    : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
