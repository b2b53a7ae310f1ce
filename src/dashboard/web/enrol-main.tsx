import { type JSX, render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { get, post, Problem, signIn } from './api.ts'
import { Complaint } from './parts.tsx'
import { assertionOver, bytesOf, makePasskey } from './passkey.ts'

/** What the program tells of the passkey that it waits for. */
interface Enrolment {
  readonly name: string
  readonly relyingParty: string
  readonly exclude: readonly string[]
  readonly challenge: string
}

function Enrol(): JSX.Element {
  const [problem, setProblem] = useState<Problem>()
  const [enrolment, setEnrolment] = useState<Enrolment>()
  const [code, setCode] = useState<string>()
  const trying = (work: () => Promise<void>): void => {
    setProblem(undefined)
    work().catch((error: unknown) =>
      setProblem(error instanceof Problem ? error : new Problem(0, String(error))),
    )
  }
  useEffect(() => {
    trying(async () => {
      await signIn()
      setEnrolment(await get<Enrolment>('/api/enrolment'))
    })
  }, [])
  const make = (): void =>
    trying(async () => {
      if (enrolment !== undefined) setCode(await made(enrolment))
    })
  return (
    <main class="outside">
      <h1>A passkey{enrolment === undefined ? '' : ` for ${enrolment.name}`}</h1>
      {problem === undefined ? null : <Complaint problem={problem} />}
      {code === undefined ? (
        <>
          <p>
            It will approve calls in the name of this approver. The browser asks twice: to make it,
            and to see that it signs.
          </p>
          <div class="buttons">
            <button type="button" class="approve" disabled={enrolment === undefined} onClick={make}>
              Make a passkey
            </button>
          </div>
        </>
      ) : (
        <p role="status">
          Made. Its code is <strong>{code}</strong>: go on in the terminal, which must show the same
          one. You may close this page.
        </p>
      )}
    </main>
  )
}

async function made(enrolment: Enrolment): Promise<string> {
  const fresh = await makePasskey(enrolment)
  const assertion = await assertionOver(bytesOf(enrolment.challenge), fresh.credential)
  const { code } = await post<{ readonly code: string }>('/api/enrolment', {
    ...fresh,
    ...assertion,
  })
  return code
}

const root = document.getElementById('page')
if (root !== null) render(<Enrol />, root)
