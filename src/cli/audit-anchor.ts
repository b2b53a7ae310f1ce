import type { AnchorResult } from '../anchor/anchors.ts'
import type { Config } from '../config/config.ts'
import { CapFenceError } from '../errors.ts'
import { anchoring, anchorLine, anchorsOf, type ReadyAnchor } from './anchoring.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { openWriter } from './open-storage.ts'
import { placeToWrite, readConfig } from './places.ts'
import { complaint } from './report-error.ts'
import { jsonLine, shown } from './shown.ts'
import { version } from './version.ts'

/** What `capfence audit anchor` takes, as it was typed. */
export interface AuditAnchorFlags {
  readonly config?: string | undefined
  readonly only?: string | undefined
  readonly json?: boolean | undefined
}

/** `capfence audit anchor`: runs the anchors of the configuration now, one after the other; 1 when one of them fails. */
export async function auditAnchor(flags: AuditAnchorFlags, io: Io): Promise<ExitCode> {
  const config = await readConfig(flags.config, io)
  const chosen = chosenOf(config, flags.only)
  const place = placeToWrite({ config: flags.config })
  const store = await openWriter(place, { rotateHours: 0, software: `capfence/${version}` })
  try {
    const anchors = anchoring(config, store, {
      environment: io.variables,
      nowMs: io.nowMs,
      stopped: io.stopped,
    })
    let code: ExitCode = exitCodes.yes
    for (const { anchor } of chosen) {
      // oxlint-disable-next-line no-await-in-loop -- in the order of the file: one may publish what the one before wrote
      const result = await anchors.run(anchor)
      // oxlint-disable-next-line no-await-in-loop -- each is said when it is known
      await say(result, flags, io)
      if (result.error !== null) code = exitCodes.no
    }
    return code
  } finally {
    await store.close()
  }
}

function chosenOf(config: Config, only: string | undefined): readonly ReadyAnchor[] {
  const all = anchorsOf(config)
  const chosen = only === undefined ? all : all.filter(({ anchor }) => anchor.name === only)
  if (chosen.length > 0) return chosen
  const names = all.map(({ anchor }) => `\`${anchor.name}\``).join(', ')
  throw new CapFenceError(
    'USAGE',
    all.length === 0
      ? `${config.file} names no anchors`
      : `there is no anchor \`${only ?? ''}\`; there is ${names}`,
    {
      hint: 'add `"anchors": [{"exec": ["git", "…"]}]` under `audit`; docs/anchoring.md has recipes',
    },
  )
}

async function say(result: AnchorResult, { json }: AuditAnchorFlags, io: Io): Promise<void> {
  const { hint, ...facts } = result
  if (json === true) {
    const ok = result.error === null
    await io.out.write(jsonLine({ schemaVersion, type: 'audit-anchor', ok, ...facts }))
  } else if (result.error === null) {
    await io.out.write(`${shown(anchorLine(result))}\n`)
  }
  if (result.error !== null) await io.err.write(complaint(io, anchorLine(result), hint))
}
