import type { AnyAnalyzer } from '../analyzer.ts';
import { claimBinding } from './claim-binding.ts';
import { nodeConditions } from './node-conditions.ts';
import { podContainerConfig } from './pod-container-config.ts';
import { podContainerStart } from './pod-container-start.ts';
import { podDeadline } from './pod-deadline.ts';
import { podDisruption } from './pod-disruption.ts';
import { podEviction } from './pod-eviction.ts';
import { podExit } from './pod-exit.ts';
import { podImagePull } from './pod-image-pull.ts';
import { podInit } from './pod-init.ts';
import { podNotReady } from './pod-not-ready.ts';
import { podPreStop } from './pod-pre-stop.ts';
import { podRejection } from './pod-rejection.ts';
import { podResize } from './pod-resize.ts';
import { podSandbox } from './pod-sandbox.ts';
import { podScheduling } from './pod-scheduling.ts';
import { podTermination } from './pod-termination.ts';
import { podVolume } from './pod-volume.ts';
import { serviceEndpoints } from './service-endpoints.ts';
import { workloadCreate } from './workload-create.ts';
import { workloadJob } from './workload-job.ts';
import { workloadRollout } from './workload-rollout.ts';

/** Every analyzer, in the order of a pod's life. */
export const analyzers: readonly AnyAnalyzer[] = [
  podEviction,
  podRejection,
  podDisruption,
  podDeadline,
  nodeConditions,
  podTermination,
  claimBinding,
  podScheduling,
  podVolume,
  podSandbox,
  podInit,
  podImagePull,
  podContainerConfig,
  podContainerStart,
  podExit,
  podNotReady,
  podResize,
  workloadCreate,
  workloadRollout,
  workloadJob,
  serviceEndpoints,
  podPreStop,
];
