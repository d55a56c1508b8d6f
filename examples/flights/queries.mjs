/** What is asked, as one batch. The second query fails, since nobody has such a dataset; the others do not mind. */

export const SCORE_ABOVE = 500;
export const HUB_DEPARTURES = 100_000;
export const AREAS = ['CA', 'FL', 'IL', 'NY', 'TX'];
export const QUANTILES = [0.1, 0.25, 0.75, 0.9];
export const LATE_MINUTES = 60;

/** The numbers of the areas. */
export function areasOf(states) {
  return AREAS.map(area => states.indexOf(area));
}

/** @param states names of the states, in the order of their numbers */
export function queriesFor(states) {
  return [
    {
      dataset: 'flights-delay',
      ops: ['median', { quantile: { q: QUANTILES } }],
      where: {
        and: [
          { dataset: 'flights-distance', gt: SCORE_ABOVE },
          { dataset: 'flights-state', in: areasOf(states) },
          // A semi-join: the code stands in another table, in a row that has enough departures.
          {
            dataset: 'flights-destination',
            in: { dataset: 'airports-code', where: { dataset: 'airports-departures', ge: HUB_DEPARTURES } },
          },
        ],
      },
      group_by: [{ dataset: 'flights-origin' }, { dataset: 'flights-state' }],
    },
    { dataset: 'flights-cancelled', ops: ['mean'] },
    {
      dataset: 'flights-delay',
      ops: ['mean', 'std', 'max'],
      where: { self: true, gt: LATE_MINUTES },
      group_by: { dataset: 'flights-state' },
    },
  ];
}
