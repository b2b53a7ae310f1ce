/** A time as a person reads it here: the hour alone today, else with the day. */
export function timeText(iso: string, nowMs: number = Date.now()): string {
  const time = new Date(iso)
  const isToday = time.toDateString() === new Date(nowMs).toDateString()
  const hour = time.toLocaleTimeString([], {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  return isToday
    ? hour
    : `${time.toLocaleDateString([], { month: 'short', day: 'numeric' })} ${hour}`
}

/** How long something takes: `340 ms`, `1.2 s`, `14 min`. */
export function durationText(ms: number | null): string {
  if (ms === null) return '–'
  if (ms < 1000) return `${String(Math.round(ms))} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return ms < 3_600_000
    ? `${String(Math.round(ms / 60_000))} min`
    : `${(ms / 3_600_000).toFixed(1)} h`
}

/** What is left until a time: `2:05`, or `over`. */
export function leftText(iso: string, nowMs: number): string {
  const seconds = Math.floor((Date.parse(iso) - nowMs) / 1000)
  if (seconds <= 0) return 'over'
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = String(seconds % 60).padStart(2, '0')
  return hours === 0 ? `${String(minutes)}:${rest}` : `${String(hours)} h ${String(minutes)} min`
}

/** How many bytes: `812 B`, `3.4 MB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB']
  const power = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${power === 0 ? String(value) : value.toFixed(1)} ${units[power] ?? ''}`
}

/**
 * JSON text on several lines, without reading it: a number keeps every digit, and an escape stays one, so that what does
 * not show cannot hide.
 */
export function indentedJson(json: string): string {
  let depth = 0
  let out = ''
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === '}' || token === ']') depth -= 1
    if ((token === '}' || token === ']') && !/[{[]$/.test(out)) out += lineOf(depth)
    out += token
    if (token === '{' || token === '[') {
      depth += 1
      out += lineOf(depth)
    } else if (token === ',') out += lineOf(depth)
    else if (token === ':') out += ' '
  }
  // An empty object stays on its line.
  return out.replaceAll(/([{[])\n *([}\]])/g, '$1$2')
}

function lineOf(depth: number): string {
  return `\n${'  '.repeat(depth)}`
}

/** The words of the log for people. */
export const decisionWords: Readonly<Record<string, string>> = {
  allow: 'allowed',
  require_approval: 'asked',
  deny: 'denied',
  refused: 'refused',
}

/** Why a call was decided so, where no rule says it. */
export function reasonText(reason: string): string {
  return reason.replaceAll('_', ' ')
}
