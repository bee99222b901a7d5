import { type ApiKind, messages } from '../../src/objects/kinds-schema.ts';
import { ObjectMeta } from '../../src/objects/meta.ts';
import {
  Container,
  ContainerStatus,
  PodSpec,
  PodStatus,
  Projection,
  VolumeSource,
} from '../../src/objects/pod-schema.ts';
import {
  bool,
  inline,
  int,
  json,
  list,
  type Message,
  message,
  one,
  part,
  string,
  time,
} from '../../src/objects/schema.ts';

// What an API server sends beside the fields that podlens reads: without it the bytes would be too few.
const ManagedFieldsEntry = message({
  manager: string(1),
  operation: string(2),
  apiVersion: string(3),
  time: time(4),
  fieldsType: string(6),
  fieldsV1: json(7),
});
const Meta = message({ ...ObjectMeta.fields, managedFields: list(17, ManagedFieldsEntry) });

const AnyContainer = message({
  ...Container.fields,
  terminationMessagePath: string(13),
  terminationMessagePolicy: string(20),
});
const Ip = message({ ip: string(1) });
const fieldRef = one(2, message({ apiVersion: string(1), fieldPath: string(2) }));
const AnyVolumeSource = message({
  ...VolumeSource.fields,
  projected: one(
    26,
    message({
      sources: list(
        1,
        message({
          ...Projection.fields,
          downwardAPI: one(2, message({ items: list(1, message({ path: string(1), fieldRef })) })),
          serviceAccountToken: one(4, message({ expirationSeconds: int(2), path: string(3) })),
        }),
      ),
      defaultMode: int(2),
    }),
  ),
});

const AnyPod = message({
  metadata: part(1, Meta),
  spec: part(
    2,
    message({
      ...PodSpec.fields,
      volumes: list(1, message({ name: string(1) }, inline(2, AnyVolumeSource))),
      containers: list(2, AnyContainer),
      dnsPolicy: string(6),
      serviceAccount: string(9),
      enableServiceLinks: bool(30),
    }),
  ),
  status: part(
    3,
    message({
      ...PodStatus.fields,
      hostIP: string(5),
      podIP: string(6),
      containerStatuses: list(8, message({ ...ContainerStatus.fields, containerID: string(8) })),
      podIPs: list(12, Ip),
      hostIPs: list(16, Ip),
    }),
  ),
}) satisfies Message;

/** How the objects of a kind are written on the wire. */
export function tableOf(kind: ApiKind): Message {
  if (kind === 'Pod') return AnyPod;
  const whole: Message = messages[kind];
  return message({ ...whole.fields, metadata: part(1, Meta) });
}
