import { custom, pipe, rawCheck } from 'valibot';
import { MAX_ISSUES } from './issue.ts';
import { fitAttributes } from './repair/fit-attributes.ts';
import { ATTRIBUTES_RULE, type Attributes, type AttributesField, isPlainObject } from './rules/attributes.ts';

/** Custom attributes of a user or an event that can go to WebEngage without a repair. */
export function attributesSchema(field: AttributesField) {
  return pipe(
    custom<Attributes>(isPlainObject, ATTRIBUTES_RULE),
    rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      let found = 0;
      for (const { path, rule } of fitAttributes(dataset.value, field)) {
        const [first, ...rest] = path.map((key) => ({
          type: 'unknown' as const,
          origin: 'value' as const,
          input: undefined,
          key,
          value: undefined,
        }));
        addIssue(first === undefined ? { message: rule } : { message: rule, path: [first, ...rest] });
        // Stops early: input that is wrong everywhere may be crafted to be expensive to check.
        found += 1;
        if (found === MAX_ISSUES) return;
      }
    }),
  );
}
