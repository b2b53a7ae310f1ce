/**
 * Times operations on every input in turns with nothing at all, which is what reading the clock costs; so a busy machine
 * slows all of them. What an operation works on is made new each time, before the clock is read: neither a result of an
 * earlier round nor a hash that a text remembers makes a decision or a look-up cheaper than the first one.
 *
 * @param operations by name: `prepare` makes of an index what `run` gets; `run` gives a number
 * @param bounds `inputs`, `rounds`, and `maxMs`, after which no further round begins
 * @returns for each operation its times in microseconds, input by input and round after round
 */
export function inTurns(operations, { inputs, rounds, maxMs }) {
  const all = { ...operations, nothing: { prepare: (at) => at, run: (at) => at } }
  const names = Object.keys(all)
  const times = Object.fromEntries(names.map((name) => [name, []]))
  let sum = 0
  const turn = (keep) => {
    for (let at = 0; at < inputs; at += 1) {
      for (const name of names) {
        const given = all[name].prepare(at)
        const start = performance.now()
        sum += all[name].run(given)
        const stop = performance.now()
        if (keep) times[name].push((stop - start) * 1000)
      }
    }
  }
  const begun = performance.now()
  // Warm up for a third of the rounds and of the time, at least once.
  for (let round = 0; round === 0 || (round < rounds / 3 && spent(begun) < maxMs / 3); round += 1)
    turn(false)
  for (let round = 0; round === 0 || (round < rounds && spent(begun) < maxMs); round += 1)
    turn(true)
  // Something that depends on every answer, so that no operation can be left out.
  if (Number.isNaN(sum)) throw new Error('an operation gave no number')
  const clock = quantile(times.nothing, 0.5)
  const net = (name) => times[name].map((time) => Math.max(0, time - clock))
  return Object.fromEntries(Object.keys(operations).map((name) => [name, net(name)]))
}

function spent(begun) {
  return performance.now() - begun
}

/** The value below which a share of the values lies. */
export function quantile(values, share) {
  return Float64Array.from(values).sort()[Math.floor((values.length - 1) * share)]
}
