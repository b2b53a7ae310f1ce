import { limits } from '../limits.ts'
import type { ArgumentRoles } from './event.ts'
import { printable } from './printable.ts'

/** Whether `text` is a JSON Pointer (RFC 6901): empty, or `/` before each token, `~` only as `~0` and `~1`. */
function isJsonPointer(text: string): boolean {
  return /^(?:\/(?:[^~/]|~[01])*)*$/.test(text)
}

/** What is wrong with argument roles, for people; undefined when nothing is. */
export function rolesComplaint({ amount = [], path = [] }: ArgumentRoles): string | undefined {
  const pointers = [...amount, ...path]
  const wrong = pointers.find((pointer) => !isJsonPointer(pointer) || /\p{Cs}/u.test(pointer))
  if (wrong !== undefined) return `\`${printable(wrong)}\` is no JSON Pointer such as \`/amount\``
  const characters = pointers.reduce((sum, pointer) => sum + pointer.length, 0)
  return characters > limits.maxRoleCharacters
    ? `the pointers have ${characters} characters together, at most ${limits.maxRoleCharacters} are read`
    : undefined
}
