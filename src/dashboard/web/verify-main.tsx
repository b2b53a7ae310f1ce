import { render } from 'preact'
import { ProofCheck } from './proof.tsx'

/*
 * The check alone, as a page without a program behind it: for whoever is handed a proof and shall believe it.
 */
const root = document.getElementById('page')
if (root !== null) {
  render(
    <main>
      <ProofCheck />
    </main>,
    root,
  )
}
