import type { Argument } from '../argument.ts'
import { foldText } from '../fold.ts'
import type { MatcherKind, MatcherTest } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { readNeedles } from '../read-needles.ts'
import { isOneLine } from '../text.ts'
import { truthOf } from '../truth.ts'

/** Where in a text a part of it stands. */
interface PartPlace {
  readonly holds: (text: string, part: string) => boolean
  /** What white space at the ends of a folded text is nothing to this place. */
  readonly trim: (folded: string) => string
}

/** `contains`: the argument is a text that holds one of these. */
export const contains: MatcherKind<readonly string[]> = part({
  holds: (text, needle) => text.includes(needle),
  trim: (folded) => folded,
})

/** `starts_with`: the argument is a text that begins with one of these. */
export const startsWith: MatcherKind<readonly string[]> = part({
  holds: (text, start) => text.startsWith(start),
  trim: (folded) => folded.trimStart(),
})

/** `ends_with`: the argument is a text that ends with one of these. */
export const endsWith: MatcherKind<readonly string[]> = part({
  holds: (text, end) => text.endsWith(end),
  trim: (folded) => folded.trimEnd(),
})

function part(place: PartPlace): MatcherKind<readonly string[]> {
  return {
    read: readNeedles,
    compile: (parts) => ({ may: mayHold(parts, place), must: mustHold(parts, place) }),
    cost: costs.text,
  }
}

function mayHold(parts: readonly string[], { holds, trim }: PartPlace): MatcherTest['may'] {
  // What folds to nothing, such as a zero-width space, is looked for only as it is.
  const folded = parts.map((text) => trim(foldText(text) ?? '')).filter((text) => text !== '')
  return (argument) => {
    const { text } = argument
    if (text === undefined) return 'indeterminate'
    if (parts.some((one) => holds(text, one))) return 'true'
    const plain = argument.folded
    if (plain === undefined) return 'indeterminate'
    return truthOf(folded.some((one) => holds(trim(plain), one)))
  }
}

function mustHold(parts: readonly string[], { holds }: PartPlace): MatcherTest['must'] {
  return ({ text }: Argument) => {
    if (text === undefined) return 'indeterminate'
    return truthOf(isOneLine(text) && parts.some((one) => holds(text, one)))
  }
}
