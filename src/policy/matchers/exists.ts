import type { MatcherKind, MatcherTest } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { readBoolean } from '../read-value.ts'
import { truthOf } from '../truth.ts'

/** `exists`: something stands at the pointer, or nothing. */
export const exists: MatcherKind<boolean> = {
  read: readBoolean,
  compile: (wanted) => {
    // To one server `null` is a value, to the next it is as good as nothing.
    const test: MatcherTest['may'] = ({ value }) =>
      value === null ? 'indeterminate' : truthOf(wanted)
    return { may: test, must: test, absent: truthOf(!wanted) }
  },
  cost: costs.compare,
}
