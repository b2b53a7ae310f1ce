import type { StarterTool } from './starter-tool.ts'

/** What a tool seems to do: look, change, destroy or run anything, or nobody can tell. */
export type ToolKind = 'read' | 'write' | 'destructive' | 'unknown'

/** The kind of a tool, and why it is taken for one. */
export interface ToolClass {
  readonly kind: ToolKind
  readonly why: string
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** These mean what they say wherever they stand in a name. */
const destroys = words(
  'delete deletes remove removes drop destroy destroys purge truncate wipe erase exec execute executes eval evaluate ' +
    'uninstall kill terminate revoke shell bash sudo unlink rm rmdir shutdown reboot format overwrite',
)
const changes = words(
  'create creates add adds write writes update updates edit edits insert upsert send sends upload uploads move rename ' +
    'submit publish install deploy apply merge modify replace append transfer pay charge refund invite approve assign ' +
    'enable disable reply put save set',
)
/** These are as often names of things, and so are verbs only where a name begins. */
const destroysFirst = words(
  'clear reset cancel stop run command script code sql cleanup prune force',
)
const changesFirst = words(
  'commit push pull post patch comment order book schedule copy open close start restart click type press fill select ' +
    'drag upload import export draft make generate fork tag branch checkout label mark archive restore trigger call ' +
    'register subscribe unsubscribe connect disconnect navigate download scale share sign claim vote like follow',
)
const looks = words(
  'get gets list lists read reads search find show view describe fetch query count check status info lookup browse ' +
    'diff log logs history ping resolve inspect tree stat stats summary summarize help compare exists validate ' +
    'convert calculate analyze analyse current who version health preview explain top latest',
)
/** What a description says of a tool that is more than it looks. */
const alarming =
  /\b(?:deletes?|removes?|overwrites?|destroys?|erases?|irreversibly|permanently|executes?|runs? (?:a |any |arbitrary )?(?:command|code|script|shell)s?|sends?|uploads?|writes? to|modif(?:y|ies)|transfers?|pays)\b/i

/** Names of arguments that hold what somebody runs. */
const code = words(
  'command cmd code script sql expression javascript js python function program shell statement',
)

/**
 * Takes a guess at what a tool does, by its name first.
 *
 * What the server says besides, in annotations and descriptions, can only make it worse.
 *
 * @param ignored the words that every name of this server begins with
 */
export function classOf(tool: StarterTool, ignored: readonly string[] = []): ToolClass {
  const named = classOfName(wordsOf(tool.name, ignored))
  if (named.kind === 'destructive') return named
  const argument = [...(tool.properties?.keys() ?? [])].find((name) =>
    wordsOf(name).some((word) => code.has(word)),
  )
  if (argument !== undefined) {
    return { kind: 'destructive', why: `its argument \`${argument}\` may hold anything that runs` }
  }
  if (tool.isDestructive === true && named.kind === 'unknown') {
    return { kind: 'destructive', why: 'its server says that it destroys' }
  }
  if (named.kind !== 'read') return named
  return raised(tool) ?? named
}

function classOfName(parts: readonly string[]): ToolClass {
  const [first = ''] = parts
  const destroying = parts.find((word) => destroys.has(word))
  if (destroying !== undefined)
    return { kind: 'destructive', why: `its name says \`${destroying}\`` }
  if (destroysFirst.has(first)) {
    return { kind: 'destructive', why: `its name begins with \`${first}\`` }
  }
  const changing = parts.find((word) => changes.has(word))
  if (changing !== undefined) return { kind: 'write', why: `its name says \`${changing}\`` }
  if (changesFirst.has(first)) return { kind: 'write', why: `its name begins with \`${first}\`` }
  const looking = parts.find((word) => looks.has(word))
  if (looking !== undefined) return { kind: 'read', why: `its name says \`${looking}\`` }
  return { kind: 'unknown', why: 'its name does not say what it does' }
}

/** What makes a tool that looks harmless one that a person has to look at. */
function raised(tool: StarterTool): ToolClass | undefined {
  if (tool.isDestructive === true) {
    return { kind: 'unknown', why: 'its server says that it destroys, its name does not' }
  }
  if (tool.isReadOnly === false) {
    return { kind: 'unknown', why: 'its server says that it does more than read' }
  }
  const [said] = alarming.exec(tool.description) ?? []
  if (said === undefined) return undefined
  return { kind: 'unknown', why: `its description says \`${said}\`` }
}

/** The words that all names of a server begin with, such as `slack` of `slack_list_channels`. */
export function sharedWords(names: readonly string[]): readonly string[] {
  const [first = [], ...rest] = names.map((name) => wordsOf(name))
  if (rest.length === 0) return []
  const shared: string[] = []
  for (const [index, word] of first.entries()) {
    // Of `delete_list` and `delete_log` the first word says everything.
    if (isVerb(word)) break
    // A name has to have a word of its own.
    if (!rest.every((other) => other[index] === word && other.length > index + 1)) break
    shared.push(word)
  }
  return first.length > shared.length ? shared : shared.slice(0, -1)
}

function isVerb(word: string): boolean {
  return [destroys, changes, destroysFirst, changesFirst, looks].some((verbs) => verbs.has(word))
}

/** The words of a name in any of the usual spellings. */
export function wordsOf(name: string, ignored: readonly string[] = []): readonly string[] {
  const parts = name
    .slice(0, 200)
    .normalize('NFKC')
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
  return ignored.every((word, index) => parts[index] === word) ? parts.slice(ignored.length) : parts
}
