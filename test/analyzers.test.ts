import { analyzers } from '../src/analyzers/index.ts';
import { testAnalyzer } from './support/test-analyzer.ts';

for (const analyzer of analyzers) testAnalyzer(analyzer);
