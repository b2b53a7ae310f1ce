import { scanStrict, wanted } from '../json/scan.ts'
import { isJsonObject, type JsonValue } from '../json/value.ts'
import { canonicalizeExact } from '../json/canonical.ts'
import { shown, shownJson } from './shown.ts'

/**
 * What `capfence grants list --json` prints, as the page reads it: a list, in which texts that somebody wrote are safe to
 * show as they are (THREATS B30), without what was signed.
 */
export function pageGrants(lines: string): string {
  const grants = lines.split('\n').filter((line) => line !== '')
  return `[${grants.map(grantText).join(',')}]`
}

function grantText(line: string): string {
  const { value } = scanStrict(Buffer.from(line, 'utf8'), wanted({}))
  const members = isJsonObject(value) ? Object.entries(value) : []
  const safe = members.flatMap(([name, member]): readonly (readonly [string, JsonValue])[] => {
    if (name === 'envelope') return []
    // These are JSON text already, in which an escape is one.
    return [[name, name === 'when' || typeof member !== 'string' ? member : shown(member)]]
  })
  return shownJson(canonicalizeExact(Object.fromEntries(safe)))
}
