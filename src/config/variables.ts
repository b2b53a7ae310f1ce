import type { Position } from '../policy/answer.ts'
import type { TextNode } from './jsonc.ts'
import type { Problem } from './problems.ts'
import type { Place } from './read.ts'

/** The environment variables of a process. */
export type Variables = Readonly<Record<string, string | undefined>>

/**
 * A text that may take in environment variables, such as `Bearer ${TOKEN}`; parts that are objects name one.
 *
 * It is filled in when a server is started and not before: a configuration in memory holds no secret that is not
 * written in the file, and commands that start nothing do not need the variables.
 */
export interface Template {
  readonly parts: readonly (string | { readonly variable: string })[]
  readonly position: Position
}

/** What stands between `${` and `}`, or an opening that is never closed; `$${` writes a literal `${`. */
const reference = /\$\$\{|\$\{([^}]*)(\}?)/g
const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Reads a text in which `${NAME}` stands for an environment variable. */
export function readTemplate(node: TextNode, place: Place): Template {
  const parts: (string | { readonly variable: string })[] = []
  let copied = 0
  for (const found of node.value.matchAll(reference)) {
    parts.push(node.value.slice(copied, found.index))
    copied = found.index + found[0].length
    if (found[0] === '$${') parts.push('${')
    else parts.push({ variable: readName(found[1] ?? '', found[2] === '}', node, place) })
  }
  parts.push(node.value.slice(copied))
  warnOfOtherForms(node, place)
  return { parts: parts.filter((part) => part !== ''), position: place.report.position(node.start) }
}

/**
 * Reads a text in which nothing is replaced: it is on a command line that every process may read, or decides something.
 *
 * `${` is refused there instead of being taken literally, because other tools would have replaced it.
 */
export function readLiteral(node: TextNode, place: Place): string {
  for (const found of node.value.matchAll(reference)) {
    if (found[0] === '$${') continue
    place.report.problem(
      node.start,
      `\`${shownReference(found[1] ?? '')}\` is not replaced in \`${place.path}\``,
      'variables stand only in `env` and `headers`; `$${` writes a literal `${`',
    )
    break
  }
  return node.value.replaceAll('$${', '${')
}

/** Fills in the variables, or tells which are missing. */
export function expand(
  template: Template,
  variables: Variables,
): { readonly text: string; readonly missing: readonly Problem[] } {
  const missing: Problem[] = []
  const texts = template.parts.map((part) => {
    if (typeof part === 'string') return part
    const value = Object.hasOwn(variables, part.variable) ? variables[part.variable] : undefined
    // An empty secret is as good as none, and a server that takes it for "no password" is worse than one that stops.
    if (value === undefined || value === '') {
      const state = value === '' ? 'empty' : 'not set'
      missing.push({
        position: template.position,
        message: `the environment variable \`${part.variable}\` is ${state}`,
        hint: "set it where CapFence is started: for a client, under `env` in the client's own entry",
      })
    }
    return value ?? ''
  })
  return { text: texts.join(''), missing }
}

function readName(
  inside: string,
  closed: boolean,
  node: TextNode,
  { report, path }: Place,
): string {
  if (!closed) {
    report.problem(
      node.start,
      `\`\${\` is never closed in \`${path}\``,
      '`$${` writes a literal `${`',
    )
  } else if (!variableName.test(inside)) {
    report.problem(
      node.start,
      `\`${shownReference(inside)}\` in \`${path}\` names no variable`,
      hintForName(inside),
    )
  }
  return inside
}

/** The reference without what may be a default, and so a secret (THREATS B27). */
function shownReference(inside: string): string {
  const name = /^[\w.:]{0,64}?(?=:?-|:?=|$)/.exec(inside)?.[0]
  return name === inside ? `\${${inside}}` : `\${${name ?? ''}…}`
}

function hintForName(inside: string): string {
  const [name = '', fallback] = inside.split(/:?[-=]/, 2)
  if (fallback !== undefined && variableName.test(name)) {
    return `write \`\${${name}}\` and set the variable; a secret has no default`
  }
  const bare = inside.replace(/^(?:env|input|secrets?)[:.]/, '')
  return variableName.test(bare)
    ? `set an environment variable and write \`\${${bare}}\``
    : 'names are letters, digits and `_`; `$${` writes a literal `${`'
}

/** Other clients replace `$NAME` and `%NAME%`; here they are plain text, which nobody who writes them expects. */
function warnOfOtherForms(node: TextNode, { report, path }: Place): void {
  if (!/^\$[A-Za-z_]\w*$|^%[A-Za-z_]\w*%$/.test(node.value)) return
  report.warning(
    node.start,
    `\`${path}\` is taken as it is written`,
    'an environment variable is written `${NAME}`',
  )
}
