import { printable } from '../../event/printable.ts'

/** Names that YAML takes for what they are written as. */
const plain = /^(?!(?:true|false|null|yes|no|on|off)$)[A-Za-z_/][A-Za-z0-9_/.-]*$/i

// What ends a line for one reader of YAML or another, what hides, and half characters.
const escaped = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/**
 * A text as a YAML scalar on one line, whatever is in it: a name of a server must not become a key of the policy.
 */
export function quoted(text: string): string {
  if (plain.test(text) && text.length < 200) return text
  return JSON.stringify(text).replaceAll(escaped, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16)
    return character.length === 1 ? `\\u${code.padStart(4, '0')}` : `\\U${code.padStart(8, '0')}`
  })
}

/** A line of a comment, without anything that could end it. */
export function comment(text: string, maxCharacters = 160): string {
  return `# ${printable(text.trim(), maxCharacters)}`
}

/** A JSON value in flow style. */
export function flow(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([name, member]) => `${quoted(name)}: ${flow(member)}`)
      .join(', ')}}`
  }
  return String(value)
}

/** Whether a name can be a key on one line (YAML 1.2.2, section 7.4.2: 1024 characters, escapes included). */
export function isKey(name: string): boolean {
  return name !== '' && quoted(name).length <= 500 && !/\p{Cs}/u.test(name)
}
