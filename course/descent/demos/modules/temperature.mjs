// @ts-check
// What a temperature does to a teacher's probabilities, and to the gradient a student gets.

/** @typedef {{ temperature: number, example: string }} Params */
/** @typedef {{ examples: Record<string, number[]>, student: number[], temperatures: number[] }} Data */

/** @type {(scores: number[], temperature: number) => number[]} */
const softmax = (scores, temperature) => {
  const top = Math.max(...scores);
  const raised = scores.map((s) => Math.exp((s - top) / temperature));
  const total = raised.reduce((a, b) => a + b, 0);
  return raised.map((v) => v / total);
};

/** @type {(p: number[]) => number} */
const entropy = (p) => -p.reduce((sum, v) => sum + (v > 0 ? v * Math.log(v) : 0), 0);

// Length of the gradient of KL(teacher‖student) with respect to the student's scores.
/** @type {(teacher: number[], student: number[], temperature: number) => number} */
const pull = (teacher, student, temperature) => {
  const [p, q] = [softmax(teacher, temperature), softmax(student, temperature)];
  return Math.sqrt(p.reduce((sum, v, c) => sum + ((q[c] - v) / temperature) * ((q[c] - v) / temperature), 0));
};

/**
 * @param {Params} params
 * @param {Data} data
 */
export function simulate({ temperature, example }, { examples, student, temperatures }) {
  const teacher = examples[example];
  const pulls = temperatures.map((t) => pull(teacher, student, t));
  return {
    hard: softmax(teacher, 1),
    soft: softmax(teacher, temperature),
    entropy: entropy(softmax(teacher, temperature)),
    most: Math.log(teacher.length),
    pulls,
    scaled: pulls.map((v, i) => v * temperatures[i] * temperatures[i]),
    here: pull(teacher, student, temperature),
  };
}

/**
 * @param {Stage} stage
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @param {Data} data
 */
export function draw(stage, result, params, { temperatures }) {
  const [left, right] = stage.columns([1.25, 1]);
  const classes = result.soft.map((_, c) => c);
  const bars = stage
    .panel({
      rect: left,
      x: [-0.6, classes.length - 0.4],
      y: [1e-4, 1.5],
      logY: true,
      ticksX: classes.map((c) => [c, String(c)]),
      labelX: stage.text("axis_class"),
      labelY: stage.text("axis_probability"),
      legend: [
        {
          label: stage.text("soft", { temperature: params.temperature }),
          style: { series: 0, width: 9, only: "line", dash: [] },
        },
        { label: stage.text("hard"), style: { series: 1, only: "marker" } },
      ],
    })
    .axes();
  result.soft.forEach((p, c) => p > 1e-4 && bars.shade(c - 0.35, c + 0.35, 1e-4, p, "s0", 0.8));
  bars.dots(classes, result.hard, { series: 1, color: "paper" }, 7).dots(classes, result.hard, 1, 5);
  const panel = stage
    .panel({
      rect: right,
      x: [temperatures[0], temperatures[temperatures.length - 1]],
      logX: true,
      y: [1e-4, 10],
      logY: true,
      labelX: stage.text("axis_temperature"),
      labelY: stage.text("axis_pull"),
      legend: [
        { label: stage.text("plain"), style: { series: 2, only: "line" } },
        { label: stage.text("squared"), style: { series: 3, only: "line" } },
      ],
    })
    .axes();
  panel.rule("x", params.temperature);
  panel.line(temperatures, result.pulls, 2).line(temperatures, result.scaled, 3);
  const t = params.temperature;
  panel.dots([t], [result.here], 2, 6).dots([t], [result.here * t * t], 3, 6);
}

/**
 * @param {ReturnType<typeof simulate>} result
 * @param {Params} params
 * @returns {Sentence[]}
 */
export function summary(result, { temperature }) {
  const order = result.soft.map((p, c) => [p, c]).sort((a, b) => b[0] - a[0]);
  const [[p1, c1], [p2, c2]] = order;
  const values = {
    temperature,
    first: String(c1),
    second: String(c2),
    p1,
    p2,
    share: String(Math.round((100 * result.entropy) / result.most)),
  };
  return [
    ["says", values],
    ["entropy", values],
  ];
}
