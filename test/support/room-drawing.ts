/**
 * Draws rooms and who may import whom, as an SVG: a room stands above all that it may import. An arrow that a chain of
 * others implies is left out, so that what is drawn is the order of the house and not each permission. The same rooms give
 * the same bytes.
 */

/** A room and those below it. */
export interface DrawnRoom {
  readonly name: string;
  /** A second line in the box. */
  readonly note: string;
  readonly imports: readonly string[];
  /** It may import only types of these. */
  readonly types: readonly string[];
  /** It may import only the face of these. */
  readonly faces: readonly string[];
  /** One of its files loads these, by import(). */
  readonly loads: readonly string[];
}

type ArrowKind = 'imports' | 'types' | 'faces' | 'loads';

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly kind: ArrowKind;
}

/** A place in a row: a room's, or one that an arrow over several rows passes. */
interface Place {
  readonly name: string;
  readonly room: DrawnRoom | undefined;
  readonly row: number;
  x: number;
}

const BOX_HEIGHT = 40;
const ROW_HEIGHT = 92;
const CHARACTER = 6.8;
const GAP = 22;
const MARGIN = 20;
const INK = '#24292f';
const DASHES: Readonly<Record<ArrowKind, string>> = { imports: '', types: '5 3', faces: '5 3', loads: '1 4' };

/** Draws the rooms; no circle may be among them. */
export function drawRooms(title: string, rooms: readonly DrawnRoom[]): string {
  return new Drawing(title, rooms).draw();
}

class Drawing {
  private readonly arrows: readonly Arrow[];
  private readonly rows: Place[][];
  private readonly chains: readonly { readonly arrow: Arrow; readonly places: readonly Place[] }[];
  private readonly width: number;

  constructor(
    private readonly title: string,
    rooms: readonly DrawnRoom[],
  ) {
    this.arrows = reduce(rooms.flatMap(arrowsOf));
    const depthOf = computeDepths(rooms, this.arrows);
    const rowCount = Math.max(...depthOf.values()) + 1;
    const rowOf = (name: string): number => rowCount - 1 - (depthOf.get(name) ?? 0);
    this.rows = Array.from({ length: rowCount }, () => []);
    const placeOf = new Map(
      rooms.map((room) => [room.name, this.add({ name: room.name, room, row: rowOf(room.name), x: 0 })]),
    );
    this.chains = this.arrows.map((arrow) => {
      const passed = Array.from({ length: Math.max(0, rowOf(arrow.to) - rowOf(arrow.from) - 1) }, (_, index) =>
        this.add({ name: `${arrow.from} ${arrow.to}`, room: undefined, row: rowOf(arrow.from) + 1 + index, x: 0 }),
      );
      return { arrow, places: [placeOf.get(arrow.from), ...passed, placeOf.get(arrow.to)].flatMap((one) => one ?? []) };
    });
    this.order();
    this.width = this.spread();
  }

  draw(): string {
    const height = topOf(this.rows.length - 1) + BOX_HEIGHT + MARGIN;
    const size = `width="${this.width}" height="${height}" viewBox="0 0 ${this.width} ${height}"`;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">`,
      `<title>${this.title}</title>`,
      `<style>text{font:12px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:${INK}} .note{font-size:9px}</style>`,
      `<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">`,
      `<path d="M0 0L8 4L0 8z" fill="${INK}"/></marker></defs>`,
      `<rect width="${this.width}" height="${height}" fill="#fff"/>`,
      ...this.chains.map(({ arrow, places }) => drawArrow(arrow, places)),
      ...this.rows.flat().flatMap(drawBox),
      '</svg>',
      '',
    ].join('\n');
  }

  private add(place: Place): Place {
    this.rows[place.row]?.push(place);
    return place;
  }

  /** Moves places next to those they are connected with, down and up a few times, so that few arrows cross. */
  private order(): void {
    for (const row of this.rows) {
      row.sort((left, right) => (left.name < right.name ? -1 : 1));
    }
    for (let round = 0; round < 8; round++) {
      const rows = round % 2 === 0 ? this.rows : [...this.rows].reverse();
      for (const row of rows) {
        const positions = new Map(
          this.rows.flatMap((one) => one.map((place, at) => [place, at / one.length] as const)),
        );
        const wished = new Map(row.map((place) => [place, this.wishOf(place, round % 2 === 0, positions)]));
        row.sort((left, right) => (wished.get(left) ?? 0) - (wished.get(right) ?? 0));
      }
    }
  }

  /** The mean of what it is connected with in the row above, or below; where it is where that is nothing. */
  private wishOf(place: Place, isFromAbove: boolean, positions: ReadonlyMap<Place, number>): number {
    const near = this.chains.flatMap(({ places }) => {
      const neighbour = places[places.indexOf(place) + (isFromAbove ? -1 : 1)];
      return places.includes(place) && neighbour !== undefined ? [positions.get(neighbour) ?? 0] : [];
    });
    return near.length === 0
      ? (positions.get(place) ?? 0)
      : near.reduce((sum, position) => sum + position, 0) / near.length;
  }

  /** Gives the places of each row their x, rows centred; returns the width of all. */
  private spread(): number {
    const widths = this.rows.map((row) => row.reduce((sum, place) => sum + widthOf(place) + GAP, -GAP));
    const width = Math.ceil(Math.max(...widths)) + 2 * MARGIN;
    for (const [index, row] of this.rows.entries()) {
      let x = (width - (widths[index] ?? 0)) / 2;
      for (const place of row) {
        place.x = Math.round(x + widthOf(place) / 2);
        x += widthOf(place) + GAP;
      }
    }
    return width;
  }
}

function arrowsOf({ name, imports, types, faces, loads }: DrawnRoom): Arrow[] {
  return [
    ...imports.map((to) => ({ from: name, to, kind: 'imports' }) as const),
    ...types.map((to) => ({ from: name, to, kind: 'types' }) as const),
    ...faces.map((to) => ({ from: name, to, kind: 'faces' }) as const),
    ...loads.map((to) => ({ from: name, to, kind: 'loads' }) as const),
  ];
}

/** Without the arrows that chains of others imply; who sees a face, or loads something, passes nothing on. */
function reduce(arrows: readonly Arrow[]): readonly Arrow[] {
  const links = arrows.filter(({ kind }) => kind === 'imports' || kind === 'types');
  const reaches = (from: string, to: string): boolean =>
    links.some((link) => link.from === from && (link.to === to || reaches(link.to, to)));
  return arrows.filter(
    ({ from, to, kind }) =>
      kind === 'loads' || !links.some((link) => link.from === from && link.to !== to && reaches(link.to, to)),
  );
}

/** How many rooms are below each, one above the other. */
function computeDepths(rooms: readonly DrawnRoom[], arrows: readonly Arrow[]): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  const depthOf = (name: string): number => {
    const known = depths.get(name);
    const below = arrows.filter(({ from }) => from === name);
    const depth = known ?? Math.max(-1, ...below.map(({ to }) => depthOf(to))) + 1;
    depths.set(name, depth);
    return depth;
  };
  for (const { name } of rooms) {
    depthOf(name);
  }
  return depths;
}

function widthOf({ room }: Place): number {
  return room === undefined ? 6 : Math.max(room.name.length * CHARACTER, room.note.length * 5.4) + 20;
}

function topOf(row: number): number {
  return MARGIN + row * ROW_HEIGHT;
}

function drawBox(place: Place): string[] {
  const { room, x, row } = place;
  if (room === undefined) {
    return [];
  }
  const width = Math.round(widthOf(place));
  const top = topOf(row);
  const middle = 'text-anchor="middle"';
  return [
    `<rect x="${x - Math.round(width / 2)}" y="${top}" width="${width}" height="${BOX_HEIGHT}" rx="4" fill="#f6f8fa" stroke="${INK}"/>`,
    `<text x="${x}" y="${top + (room.note === '' ? 24 : 17)}" ${middle}>${room.name}</text>`,
    ...(room.note === '' ? [] : [`<text x="${x}" y="${top + 31}" class="note" ${middle}>${room.note}</text>`]),
  ];
}

function drawArrow({ kind }: Arrow, places: readonly Place[]): string {
  const parts = places.slice(1).map(({ x, row, room }, index) => {
    const above = places[index]?.x ?? x;
    const bottom = topOf(row - 1) + BOX_HEIGHT;
    const top = topOf(row) - (room === undefined ? 0 : 1);
    const bend = (bottom + top) / 2;
    const passing = room === undefined ? `V${top + BOX_HEIGHT}` : '';
    return `${index === 0 ? `M${above} ${bottom}` : ''}C${above} ${bend} ${x} ${bend} ${x} ${top}${passing}`;
  });
  const dashes = DASHES[kind] === '' ? '' : ` stroke-dasharray="${DASHES[kind]}"`;
  return `<path d="${parts.join('')}" fill="none" stroke="${INK}"${dashes} marker-end="url(#head)"/>`;
}
