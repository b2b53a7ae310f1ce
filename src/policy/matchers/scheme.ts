import type { MatcherKind } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { readChecked } from '../read-needles.ts'
import { truthOf } from '../truth.ts'
import { urlOf } from './url.ts'

/** `scheme`: the argument is a URL, and its scheme is one of these, such as `https`. */
export const scheme: MatcherKind<readonly string[]> = {
  read: (source, entry) =>
    readChecked(source, entry, {
      wanted: 'a scheme such as `https`, or a list of them',
      check: (text) =>
        /^[a-z][a-z0-9+.-]*$/.test(text)
          ? undefined
          : {
              says: 'is no scheme',
              hint: 'write it in lower case and without `:`, such as `https`',
            },
    }),
  compile: (names) => {
    const wanted = new Set(names)
    return {
      may: (argument) => {
        const written = schemeOf(argument.text)
        if (written === undefined) return 'indeterminate'
        if (wanted.has(written)) return 'true'
        // `view-source:`, `jar:` and the like hold a second one.
        return urlOf(argument)?.isPlain === true ? 'false' : 'indeterminate'
      },
      must: (argument) => {
        const url = urlOf(argument)
        if (url?.isPlain !== true || url.scheme === undefined) return 'indeterminate'
        return truthOf(wanted.has(url.scheme))
      },
    }
  },
  cost: costs.path,
}

/** The scheme as the URL standard reads it: what surrounds and interrupts it is dropped. */
function schemeOf(text: string | undefined): string | undefined {
  const start = text?.slice(0, 256).replace(/^[\0- ]+|[\t\n\r]+/g, '')
  return start === undefined
    ? undefined
    : /^(?<name>[a-z][a-z0-9+.-]*):/i.exec(start)?.groups?.['name']?.toLowerCase()
}
