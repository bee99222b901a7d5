/** One problem. `{{problem}}`, `{{evidence}}` and `{{remedy}}` are lines whose texts are quoted. */
export const user = `<data>
{{problem}}

Evidence:
{{evidence}}

What the rules recommend:
{{remedy}}
</data>

Explain this fault, in {{language}}, as one JSON object.`;
