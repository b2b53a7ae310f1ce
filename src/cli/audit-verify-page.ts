import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeProof } from './audit-prove.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { pageFolder } from './page-folder.ts'

/** What `capfence audit verify-page` takes, as it was typed. */
export interface VerifyPageFlags {
  readonly output?: string | undefined
}

/** `capfence audit verify-page`: writes the page on which a proof or an export is checked, as one file. */
export async function auditVerifyPage({ output }: VerifyPageFlags, io: Io): Promise<ExitCode> {
  const page = readFileSync(join(pageFolder, 'verify.html'), 'utf8')
  if (output === undefined) await io.out.write(page)
  else writeProof(output, page)
  return exitCodes.yes
}
