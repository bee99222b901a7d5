const claim = (properties: object, required: readonly string[]) => ({
  type: 'object',
  properties: { text: { type: 'string' }, ...properties, cites: { type: 'array', items: { type: 'string' } } },
  required: ['text', ...required, 'cites'],
  additionalProperties: false,
});

/** What a model must answer, as every endpoint with structured output takes it: all fields required, none beside them. */
export const answerSchema = {
  type: 'object',
  properties: {
    cause: { type: 'array', items: claim({}, []) },
    steps: { type: 'array', items: claim({ command: { type: 'string' } }, ['command']) },
    confidence: { type: 'string', enum: ['certain', 'likely', 'possible'] },
  },
  required: ['cause', 'steps', 'confidence'],
  additionalProperties: false,
} as const;
