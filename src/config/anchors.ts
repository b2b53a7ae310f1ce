import type { Node } from './jsonc.ts'
import type { Place, Read } from './read.ts'
import { listOf, readText, Section, shownText, wholeNumber } from './read.ts'
import { limits } from '../limits.ts'
import { bounds, patterns } from './vocabulary.ts'

/** Where checkpoints of the log are left, out of reach of whoever can change the log. */
export type AnchorConfig =
  | {
      readonly kind: 'exec'
      readonly name: string
      /** A program and its arguments, for no shell. */
      readonly command: readonly [program: string, ...args: string[]]
      readonly everyMinutes: number
    }
  | {
      readonly kind: 'witness'
      readonly name: string
      /** Without a slash at its end. */
      readonly url: string
      /** The witness's key, as C2SP writes it. */
      readonly vkey: string
      readonly everyMinutes: number
    }

const keys = ['exec', 'witness', 'vkey', 'name', 'everyMinutes'] as const
const keyHints: ReadonlyMap<string, string> = new Map([
  ['command', 'it is called `exec`, and is a list: `"exec": ["git", "…"]`'],
  ['url', 'it is called `witness`'],
  ['key', 'it is called `vkey`'],
])

/** Reads `audit.anchors`: each a command or a witness, no two of one name. */
export const readAnchors: Read<readonly AnchorConfig[]> = (node, place) => {
  const anchors = listOf(readAnchor)(node, place)
  if (anchors === undefined) return undefined
  if (anchors.length > limits.maxAnchors) {
    place.report.problem(
      node.start,
      `\`${place.path}\` names more than ${limits.maxAnchors} anchors`,
    )
  }
  for (const [index, { name }] of anchors.entries()) {
    if (anchors.findIndex((other) => other.name === name) === index) continue
    place.report.problem(
      node.start,
      `two anchors in \`${place.path}\` are called \`${name}\``,
      'give one of them a `name`; records and messages say which one it was',
    )
  }
  return anchors
}

function readAnchor(node: Node, place: Place): AnchorConfig | undefined {
  const section = Section.read(node, place, keys, keyHints)
  if (section === undefined) return undefined
  const every = wholeNumber({ min: 1, max: bounds.maxAnchorMinutes })
  const everyMinutes = section.optional('everyMinutes', every, defaultAnchorMinutes)
  const name = section.optional('name', shownText(bounds.maxAnchorName), undefined)
  if (section.has('exec') === section.has('witness')) {
    place.report.problem(
      node.start,
      `\`${place.path}\` must be a command or a witness`,
      '`{"exec": ["git", "…"]}` or `{"witness": "https://…", "vkey": "…"}`',
    )
    return undefined
  }
  return section.has('exec')
    ? readExec(section, node, { name, everyMinutes })
    : readWitness(section, { name, everyMinutes })
}

/** An hour: what is changed before the next anchor is not found out. */
const defaultAnchorMinutes = 60

interface Common {
  readonly name: string | undefined
  readonly everyMinutes: number
}

function readExec(
  section: Section,
  node: Node,
  { name, everyMinutes }: Common,
): AnchorConfig | undefined {
  if (section.has('vkey')) {
    const { report, path } = section.place('vkey')
    report.problem(node.start, `\`${path}\` is the key of a witness, and this is a command`)
  }
  const words = section.required('exec', listOf(readWord, 1))
  const [program, ...args] = words ?? []
  if (program === undefined) return undefined
  const command = [program, ...args] as const
  return { kind: 'exec', name: name ?? baseName(program), command, everyMinutes }
}

function readWitness(section: Section, { name, everyMinutes }: Common): AnchorConfig | undefined {
  const url = section.required('witness', readUrl)
  const vkey = section.required('vkey', readVkey, 'it is what `capfence witness` prints as its key')
  if (url === undefined || vkey === undefined) return undefined
  const named = name ?? vkey.slice(0, vkey.indexOf('+')).slice(0, bounds.maxAnchorName)
  return { kind: 'witness', name: named, url: url.replace(/\/$/, ''), vkey, everyMinutes }
}

/** What a process can be given. */
const readWord: Read<string> = (node, place) => {
  const text = readText(node, place)
  if (text === undefined || patterns.word.test(text.value)) return text?.value
  place.report.problem(
    node.start,
    `\`${place.path}\` holds a character that no program can be given`,
  )
  return undefined
}

const readUrl: Read<string> = (node, place) => {
  const text = readText(node, place)
  if (text === undefined) return undefined
  if (patterns.witnessUrl.test(text.value) && URL.canParse(text.value)) return text.value
  place.report.problem(
    node.start,
    `\`${place.path}\` must be the URL of a witness, without user, query and fragment`,
    'such as `https://witness.example.org/`',
  )
  return undefined
}

const readVkey: Read<string> = (node, place) => {
  const text = readText(node, place)
  if (text === undefined || patterns.vkey.test(text.value)) return text?.value
  place.report.problem(
    node.start,
    `\`${place.path}\` must be a key as C2SP writes it: \`NAME+ID+KEY\``,
    'it is what `capfence witness` prints as its key',
  )
  return undefined
}

function baseName(program: string): string {
  const last = program.split(/[\\/]/).findLast((part) => part !== '') ?? program
  return last.slice(0, bounds.maxAnchorName)
}
