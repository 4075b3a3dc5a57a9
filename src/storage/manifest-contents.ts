/** What the edits of an engine's manifest amount to. */
export interface ManifestContents {
  /** The tables that the store consists of: their sizes by number. */
  readonly tables: Map<number, number>;
  /** Write-ahead logs below this number are in tables; 0 where nothing is said. */
  logNumber: number;
}
