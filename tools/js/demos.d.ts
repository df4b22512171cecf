// The types that the demos' modules share. Only tsc reads this file; nothing of it is shipped.

/** A pair of numbers: a range [low, high], or a point [x, y]. */
type Pair = [number, number];
type Numbers = ArrayLike<number>;
interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** What a demo module exports: numbers from parameters, a picture of them, and words for it. */
interface Demo {
  simulate(params: any, data: any): any;
  draw(stage: Stage, result: any, params: any, data: any): void;
  summary(result: any, params: any, data: any, frame: number): Sentence[];
}

/** A key of the demo's strings, and what is filled into it. */
type Sentence = [key: string, values?: Record<string, string | number>];

/** How a line or marker looks: a series number, or what differs from that series. */
type Style = number | StyleParts;
interface StyleParts {
  series?: number;
  color?: string;
  width?: number;
  dash?: number[];
  marker?: string;
  alpha?: number;
  only?: "line" | "marker";
}
interface LegendEntry {
  label: string;
  style: Style;
  /** Where the panel has put it: pixels from the left, and the row. */
  at?: Pair;
}
type Tick = [value: number, text: string];
interface PanelOptions {
  rect: Rect;
  x: Pair;
  y: Pair;
  logX?: boolean;
  logY?: boolean;
  labelX?: string;
  labelY?: string;
  legend?: LegendEntry[];
  /** One pixel means the same on both axes. */
  equal?: boolean;
  /** false hides the ticks, a list sets them. */
  ticksX?: false | Tick[];
  ticksY?: false | Tick[];
}
type Panel = import("../../course/descent/demos/modules/plot.mjs").Panel;

/** What draw() paints on. */
interface Stage {
  ctx: CanvasRenderingContext2D;
  width: number;
  height: number;
  /** Pixels of the canvas for one of the page. */
  ratio: number;
  font: string;
  theme: string;
  palette: Record<string, string>;
  /** The frame that is shown while a demo plays, and how many there are. */
  frame: number;
  frames: number;
  text(key: string, values?: Record<string, unknown>): string;
  format(value: number, digits?: number): string;
  powerOfTen(exponent: number): string;
  /** Put a draggable point of this name where it belongs. */
  handle(name: string, panel: Panel, x: number, y: number): void;
  panel(options: PanelOptions): Panel;
  columns(shares: number[], gap?: number): Rect[];
  /** A picture that is costly to paint, kept until its key changes. */
  picture(
    key: string,
    width: number,
    height: number,
    paint: (ctx: CanvasRenderingContext2D) => void,
  ): HTMLCanvasElement;
}

/** A control as Python describes it; see `descent.demos.controls`. */
interface Control {
  kind: "range" | "select" | "toggle" | "rated" | "button" | "point";
  name: string;
  label: string;
  value: any;
  min: any;
  max: any;
  step?: number;
  scale: "linear" | "log" | "near-one";
  zero?: boolean;
  shown?: string;
  series?: number;
  rated?: string;
  options: [value: string | number, label: string][];
  presets?: Record<string, Record<string, unknown>>;
  axis?: "x" | "y";
  pixels?: number;
}

/** A control on the page: it writes itself into the parameters, and can be set. */
interface Widget {
  node?: HTMLElement;
  handle?: HTMLElement;
  set(value: any): void;
  get(): string | number;
}

/** A draggable point on the page. */
interface Point extends Widget {
  handle: HTMLElement;
  panel?: Panel;
  at: Pair;
  grab(event: PointerEvent): void;
  place(px: number, py: number, x: number, y: number): void;
}

interface Payload {
  strings: Record<string, string>;
  controls: Control[];
  data: unknown;
  seconds: number | null;
  state: string | null;
}

/** A landscape of two parameters. */
interface Landscape {
  value(x: number, y: number): number;
  slope(x: number, y: number): Pair;
  lowest: number;
  minima: Pair[];
  power?: number;
}

/** A path through a landscape, with the loss at each of its points. */
interface Path {
  x: number[];
  y: number[];
  loss: number[];
}

/** What the parts of a demo's page share. */
interface App {
  /** The controls' values, as simulate() receives them. */
  params: Record<string, any>;
  widgets: Record<string, Widget | Point>;
  /** Paints each control's stroke anew, when colours change. */
  swatches: (() => void)[];
  canvas: HTMLCanvasElement;
  stage: Stage;
  text(key: string, values?: Record<string, unknown>): string;
  fill(template: string, values?: Record<string, any>): string;
  /** Tells that a value is another one: simulate and draw anew. */
  changed(): void;
}
type MakeControl = (app: App, spec: Control) => Widget | Point;
