/** A JSON object as `JSON.parse` gives it. */
export type PlainObject = { readonly [name: string]: unknown }

/** Whether a value is a JSON object. */
export function isPlainObject(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value has more than so many levels; looks no further. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1))
}

/** One server's answer to `initialize`. */
export interface Initialized {
  readonly server: string
  readonly result: PlainObject
}

/** The revisions with an `initialize` handshake, oldest first. */
export const handshakeRevisions: readonly string[] = [
  '2024-11-05',
  '2025-03-26',
  '2025-06-18',
  '2025-11-25',
]

/**
 * One `initialize` result for several servers: the lowest revision, every capability that one of them has.
 *
 * `tasks` is left out, because a task id says nothing of its server in these revisions.
 */
export function mergeInitialized(
  parts: readonly Initialized[],
  gate: { readonly name: string; readonly version: string },
): PlainObject {
  const { tasks: _tasks, ...capabilities } = parts.reduce<PlainObject>(
    (merged, part) => mergeCapabilities(merged, part.result['capabilities']),
    {},
  )
  const instructions = mergeInstructions(parts)
  return {
    protocolVersion: lowestRevision(parts),
    capabilities,
    serverInfo: gate,
    ...(instructions !== '' && { instructions }),
  }
}

function mergeCapabilities(one: PlainObject, other: unknown): PlainObject {
  if (!isPlainObject(other)) return one
  const merged = new Map(Object.entries(one))
  for (const [name, value] of Object.entries(other)) {
    const known = merged.get(name)
    if (isPlainObject(value))
      merged.set(name, mergeCapabilities(isPlainObject(known) ? known : {}, value))
    else merged.set(name, known === undefined || known === false ? value : known)
  }
  return Object.fromEntries(merged)
}

function lowestRevision(parts: readonly Initialized[]): string {
  const revisions = parts.map((part) => part.result['protocolVersion'])
  const known = handshakeRevisions.find((revision) => revisions.includes(revision))
  const first = revisions.find((revision) => typeof revision === 'string')
  return known ?? (typeof first === 'string' ? first : '2025-11-25')
}

function mergeInstructions(parts: readonly Initialized[]): string {
  return parts
    .flatMap(({ server, result }) => {
      const text = result['instructions']
      return typeof text === 'string' && text !== '' ? [`# ${server}\n${text}`] : []
    })
    .join('\n\n')
}
