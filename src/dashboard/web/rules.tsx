import type { JSX } from 'preact'
import { get } from './api.ts'
import { type Live, useAsked, useNews } from './live.ts'
import { Answer, DecisionMark } from './parts.tsx'
import type { ListedRule, Rules as RuleList } from './shapes.ts'

/** The rules of the policy with how often each decided. */
export function Rules({ live }: { readonly live: Live }): JSX.Element {
  const asked = useAsked(() => get<RuleList>('/api/rules'), '')
  useNews(live, asked.again, 3000)
  return (
    <>
      <h1>Rules</h1>
      <Answer asked={asked}>{(list) => <List list={list} />}</Answer>
    </>
  )
}

function List({ list }: { readonly list: RuleList }): JSX.Element {
  return (
    <>
      {list.isPolicyKnown ? null : (
        <p class="note">
          Only the log was named, so these are the rules that decided. Name the configuration with{' '}
          <code>--config</code> to see all of them.
        </p>
      )}
      {list.isPartial ? <p class="note">Counted in the newest 20,000 records.</p> : null}
      <div class="scroll" tabIndex={0} role="region" aria-label="rules">
        <table class="rules">
          <thead>
            <tr>
              <th scope="col">rule</th>
              <th scope="col">effect</th>
              <th scope="col">capability and conditions</th>
              <th scope="col">where</th>
              <th scope="col" class="number">
                decided
              </th>
            </tr>
          </thead>
          <tbody>
            {list.rules.map((rule) => (
              <Row key={`${rule.file} ${rule.id}`} rule={rule} />
            ))}
            <tr>
              <th scope="row">no rule</th>
              <td>
                <DecisionMark decision="deny" />
              </td>
              <td class="quiet">whatever no rule allows</td>
              <td />
              <td class="number">{list.byDefault}</td>
            </tr>
          </tbody>
        </table>
      </div>
    </>
  )
}

function Row({ rule }: { readonly rule: ListedRule }): JSX.Element {
  return (
    <tr>
      <th scope="row">
        {rule.id}
        {rule.isGone ? <span class="hint">not in the policy any more</span> : null}
        {rule.description === null ? null : <span class="hint">{rule.description}</span>}
      </th>
      <td>
        <DecisionMark decision={rule.effect} />
      </td>
      <td>
        <code>{rule.capability}</code>
        {rule.predicates.map((predicate) => (
          <code class="predicate" key={predicate}>
            {predicate}
          </code>
        ))}
      </td>
      <td>
        {rule.file}:{rule.line}
      </td>
      <td class="number">{rule.hits}</td>
    </tr>
  )
}
