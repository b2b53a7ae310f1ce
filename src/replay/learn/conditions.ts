import { quoted } from '../../policy/starter/yaml-text.ts'
import { rootOf } from './profile.ts'

/** An argument that may be left out. */
export interface Optional {
  readonly root: string
  /** What may be said there; nothing may always be said: null, an empty text, an empty list. */
  readonly values: readonly { readonly pointer: string; readonly text: string }[]
}

/** The matcher of a place that holds null. */
export const nullText = '{ type: "null" }'
/** The matcher of an argument that is a list. */
export const listText = '{ type: array }'

/** The first line of a way to call a tool: the arguments that it may have. */
export function onlyArgs(pointers: readonly string[]): string {
  return `        - only_args: [${pointers.map(quoted).join(', ')}]`
}

/** The arguments that are lists: `*` would stand for the members of an object as well. */
export function listsOf(asked: readonly { readonly pointer: string }[]): readonly string[] {
  const lists = asked.filter(({ pointer }) => rootOf(pointer) !== pointer)
  return [...new Set(lists.map(({ pointer }) => rootOf(pointer)))]
}

/** The conditions that no argument of these says anything but what it may. */
export function noneSays(optional: readonly Optional[]): readonly string[] {
  if (optional.length === 0) return []
  return [
    '          not:',
    '            any:',
    ...optional.flatMap(({ root, values }) => [
      `              - args: { ${quoted(root)}: { exists: true } }`,
      '                not:',
      '                  any:',
      ...values.map((value) => `                    - ${argsOf(value)}`),
      `                    - ${argsOf({ pointer: root, text: nullText })}`,
      `                    - ${argsOf({ pointer: root, text: '{ max_length: 0 }' })}`,
    ]),
  ]
}

function argsOf(value: { readonly pointer: string; readonly text: string }): string {
  const lists = listsOf([value]).map((root) => `${quoted(root)}: ${listText}, `)
  return `args: { ${lists.join('')}${quoted(value.pointer)}: ${value.text} }`
}
