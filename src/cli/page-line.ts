import { schemaVersion } from './log-lines.ts'
import { shownJson } from './shown.ts'

/** What the page is told that no command prints, as one JSON text. */
export function pageLine(type: string, value: object): string {
  return shownJson(JSON.stringify({ schemaVersion, type, ...value }))
}
