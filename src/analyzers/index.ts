import type { AnyAnalyzer } from '../analyzer.ts';
import { podContainerConfig } from './pod-container-config.ts';
import { podContainerStart } from './pod-container-start.ts';
import { podExit } from './pod-exit.ts';
import { podImagePull } from './pod-image-pull.ts';
import { podInit } from './pod-init.ts';
import { podNotReady } from './pod-not-ready.ts';
import { serviceEndpoints } from './service-endpoints.ts';
import { workloadCreate } from './workload-create.ts';
import { workloadJob } from './workload-job.ts';
import { workloadRollout } from './workload-rollout.ts';

/** Every analyzer, in the order of a pod's life. */
export const analyzers: readonly AnyAnalyzer[] = [
  podInit,
  podImagePull,
  podContainerConfig,
  podContainerStart,
  podExit,
  podNotReady,
  workloadCreate,
  workloadRollout,
  workloadJob,
  serviceEndpoints,
];
