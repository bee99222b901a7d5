import type { AnyAnalyzer } from '../analyzer.ts';
import { podImagePull } from './pod-image-pull.ts';

/** Every analyzer, in the order of a pod's life. */
export const analyzers: readonly AnyAnalyzer[] = [podImagePull];
