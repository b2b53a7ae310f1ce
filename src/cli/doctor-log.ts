import type { Config } from '../config/config.ts'
import { CapFenceError } from '../errors.ts'
import type { LogReader } from '../runtime/store.ts'
import type { Finding } from './doctor-finding.ts'
import type { OpenLog } from './places.ts'
import { counted } from './shown.ts'
import { mayExist, storageName } from './storage-kind.ts'

const area = 'log'

/** Whether the log can be read, what of it is unsettled, and whether the clock goes on behind it. */
export async function checkLog(
  config: Config,
  open: OpenLog,
  nowMs: number,
): Promise<readonly Finding[]> {
  if (!mayExist(config.storage)) {
    const text = `there is none yet at ${config.storage.path}: no gate has run`
    return [{ area, level: 'note', text }]
  }
  try {
    const reader = await open(config.storage)
    try {
      return await checkReader(config, reader, nowMs)
    } finally {
      await reader.close()
    }
  } catch (error) {
    if (!(error instanceof CapFenceError)) throw error
    return [{ area, level: 'wrong', text: error.message, mend: error.hint }]
  }
}

async function checkReader(
  config: Config,
  reader: LogReader,
  nowMs: number,
): Promise<readonly Finding[]> {
  const size = await reader.size()
  const [last] = size === 0 ? [] : await reader.records(size - 1, 1)
  const at = last === undefined ? '' : `, the newest of ${last.ts}`
  return [
    {
      area,
      level: 'fine',
      text: `${storageName(config.storage)}: ${counted(size, 'record')}${at}`,
    },
    ...clock(last?.ts, nowMs),
    ...(await lost(reader)),
    ...anchored(config),
  ]
}

/** A clock that is behind the log was set back: approvals and limits then count with the later time. */
function clock(newest: string | undefined, nowMs: number): readonly Finding[] {
  const behindMs = newest === undefined ? 0 : Date.parse(newest) - nowMs
  if (behindMs <= slackMs) return []
  const text = `this machine's clock is ${String(Math.ceil(behindMs / 1000))} s behind the newest record`
  return [
    { area: 'clock', level: 'wrong', text, mend: 'set the clock; a time server keeps it right' },
  ]
}

/** Records are written by other processes too, whose clock is the same, milliseconds. */
const slackMs = 1000

async function lost(reader: LogReader): Promise<readonly Finding[]> {
  const orphans = (await reader.orphans()).filter(({ state }) => state !== 'in_flight')
  if (orphans.length === 0) return []
  const text = `${counted(orphans.length, 'call')} of which nobody knows how it ended`
  const mend = 'capfence logs --orphans; look at their servers whether they have happened'
  return [{ area, level: 'doubt', text, mend }]
}

function anchored({ audit, storage }: Config): readonly Finding[] {
  if (audit.anchors.length > 0) {
    return [{ area, level: 'fine', text: `anchored in ${counted(audit.anchors.length, 'place')}` }]
  }
  return [
    {
      area,
      level: 'note',
      text: 'nothing outside this machine knows the log: who can write its files and keys can write another one',
      mend: '`audit.anchors` in the configuration (docs/anchoring.md)',
    },
    {
      area,
      level: 'note',
      text: 'whether all of it is right is said by its verification',
      mend: `capfence audit key --storage ${storageName(storage)} >pin.txt, kept elsewhere; capfence audit verify --pin pin.txt`,
    },
  ]
}
