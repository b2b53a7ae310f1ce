import { foundClients, type FoundClient } from './init.ts'
import type { Finding } from './doctor-finding.ts'
import type { OwnHome } from './own-home.ts'

/** The oldest Node that works (package.json, `engines`). */
const leastNode = [20, 19] as const

/**
 * Whether this program can run here.
 *
 * @param version such as `v20.19.0`
 */
export function checkMachine(version: string): readonly Finding[] {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  const isOld = major < leastNode[0] || (major === leastNode[0] && minor < leastNode[1])
  if (!isOld) return [{ area: 'node', level: 'fine', text: version }]
  const least = leastNode.join('.')
  return [
    {
      area: 'node',
      level: 'wrong',
      text: `${version} is older than ${least}`,
      mend: `install Node ${least} or newer`,
    },
  ]
}

/** Whether the servers of the clients on this machine stand behind the gate. */
export async function checkClients(home: OwnHome): Promise<readonly Finding[]> {
  const found = await foundClients(home)
  if (found.length === 0) return [{ area: 'clients', level: 'note', text: 'none were found' }]
  return found.flatMap(checkClient)
}

function checkClient({ client, name, file, error, servers }: FoundClient): readonly Finding[] {
  if (error !== null) {
    return [{ area: 'clients', level: 'doubt', text: `${name}: ${file} cannot be read: ${error}` }]
  }
  const gated = servers.filter(({ state }) => state === 'gated').length
  const raw = servers.filter(({ state }) => state === 'raw').map((one) => one.name)
  const skipped = servers.filter(({ state }) => state === 'skipped')
  const mend = client === null ? `capfence wrap ${file}` : `capfence wrap ${client}`
  return [
    ...(gated > 0 || servers.length === 0
      ? [fine(`${name}: ${String(gated)} of ${String(servers.length)} servers gated (${file})`)]
      : []),
    ...(raw.length === 0
      ? []
      : [
          {
            area: 'clients',
            level: 'wrong' as const,
            text: `${name} starts without the gate: ${raw.join(', ')} (${file})`,
            mend,
          },
        ]),
    ...skipped.map((one): Finding => ({
      area: 'clients',
      level: 'doubt',
      text: `${name}: \`${one.name}\` is not gated, and cannot be by \`wrap\`: ${one.why ?? 'nobody knows why'} (${file})`,
      mend: 'put it into capfence.mcp.json, and take it out of there',
    })),
  ]
}

function fine(text: string): Finding {
  return { area: 'clients', level: 'fine', text }
}
