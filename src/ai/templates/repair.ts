/** Said once when an answer could not be read. `{{error}}` says why. */
export const repair = `Your answer could not be used: {{error}}
Answer again with exactly one JSON object of the shape {"cause":[{"text":"…","cites":["e1"]}],"steps":[{"text":"…","command":"","cites":["e1"]}],"confidence":"likely"} and nothing before or after it. Write its texts in {{language}}.`;
