import type { FieldChange, LockChange } from '../mcp/lock-diff.ts'
import { labelOf } from '../mcp/lock-diff.ts'
import type { Lock } from '../mcp/lock-file.ts'
import type { Output } from './io.ts'
import { counted, shown, shownJson } from './shown.ts'
import { styled } from './style.ts'
import { hidesSomething, visible } from './visible.ts'

/** Characters of an unchanged text that are shown on either side of what changed in it. */
const aroundCharacters = 40

/** Changes as a person reads them, with nothing of a server's texts hidden. */
export function changesText(changes: readonly LockChange[], out: Output): string {
  return changes.map((change) => changeText(change, out)).join('')
}

function changeText(change: LockChange, out: Output): string {
  const { server, before, after, fields } = change
  const what = { added: 'new', changed: 'changed', removed: 'gone' }[change.change]
  const digests = [before, after].flatMap((one) => (one === undefined ? [] : [one.slice(0, 12)]))
  const of = digests.length === 0 ? '' : ` (${digests.join(' → ')})`
  const title = styled(out, 'bold', `${shown(server)}/${visible(labelOf(change))}`)
  // Of what is gone nothing can deceive anybody any more.
  const lines = change.change === 'removed' ? [] : fields.map((field) => fieldText(field, out))
  return `${title} ${what}${of}\n${lines.join('')}`
}

function fieldText({ path, before, after }: FieldChange, out: Output): string {
  const [old, fresh] = narrowed(before, after)
  const lines = [
    ...(path === '' ? [] : [`  ${visible(path)}`]),
    ...(old === undefined ? [] : [`    ${styled(out, 'red', `- ${visible(old)}`)}`]),
    ...(fresh === undefined ? [] : [`    ${styled(out, 'green', `+ ${visible(fresh)}`)}`]),
    ...(hidesSomethingNew(before, after)
      ? [
          `    ${styled(out, 'yellow', '! holds characters that cannot be seen, or that look like others')}`,
        ]
      : []),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function hidesSomethingNew(before: string | undefined, after: string | undefined): boolean {
  return (
    after !== undefined &&
    hidesSomething(after) &&
    !(before !== undefined && hidesSomething(before))
  )
}

/** Two texts without what is the same at their start and end, where that is long. */
function narrowed(
  before: string | undefined,
  after: string | undefined,
): readonly [string | undefined, string | undefined] {
  if (before === undefined || after === undefined) return [before, after]
  const [old, fresh] = [Array.from(before), Array.from(after)]
  const shorter = Math.min(old.length, fresh.length)
  let start = 0
  while (start < shorter && old[start] === fresh[start]) start += 1
  let end = 0
  while (end < shorter - start && old.at(-1 - end) === fresh.at(-1 - end)) end += 1
  const from = start > aroundCharacters * 2 ? start - aroundCharacters : 0
  const left = end > aroundCharacters * 2 ? end - aroundCharacters : 0
  const part = (characters: readonly string[]): string =>
    (from > 0 ? '…' : '') +
    characters.slice(from, characters.length - left).join('') +
    (left > 0 ? '…' : '')
  return [part(old), part(fresh)]
}

/** Changes as one JSON object; hidden characters are escaped. */
export function changesJson(
  type: 'lock' | 'lock_diff' | 'lock_accept',
  file: string,
  changes: readonly LockChange[],
  isWritten: boolean,
): string {
  const told = changes.map((change) => ({
    server: change.server,
    kind: change.kind,
    name: change.name,
    label: `${change.server}/${labelOf(change)}`,
    change: change.change,
    before: change.before ?? null,
    after: change.after ?? null,
    fields: change.fields.map(({ path, before, after }) => ({
      path,
      before: before ?? null,
      after: after ?? null,
    })),
  }))
  const value = { schemaVersion: 1, type, file, written: isWritten, changes: told }
  return `${shownJson(JSON.stringify(value))}\n`
}

/** What a lock holds, in one line for each server. */
export function lockSummary({ servers }: Lock): string {
  return servers
    .map(({ name, tools, prompts, resourceTemplates, instructions }) => {
      const parts = [
        counted(tools.length, 'tool'),
        ...(prompts.length === 0 ? [] : [counted(prompts.length, 'prompt')]),
        ...(resourceTemplates.length === 0
          ? []
          : [counted(resourceTemplates.length, 'resource template')]),
        ...(instructions === undefined ? [] : ['instructions']),
      ]
      return `${shown(name)}: ${parts.join(', ')}\n`
    })
    .join('')
}

/** The fields of definitions that hold what cannot be seen, or looks like something else. */
export function hiddenText(changes: readonly LockChange[], out: Output): string {
  const hiding = changes.flatMap((change) => {
    const fields = change.fields.filter(({ after }) => after !== undefined && hidesSomething(after))
    const isNamed = hidesSomething(change.name)
    return fields.length === 0 && !isNamed ? [] : [{ ...change, fields }]
  })
  return changesText(hiding, out)
}
