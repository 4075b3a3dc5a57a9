/** A bounded set of names that forgets the one used longest ago. */
export class RecentNames {
  /** In the order of their last use. */
  private readonly names = new Set<string>();

  constructor(private readonly countMax: number) {}

  /** Whether the name is remembered; counts as a use. */
  has(name: string): boolean {
    if (!this.names.delete(name)) {
      return false;
    }
    this.names.add(name);
    return true;
  }

  /** Remembers a name. */
  add(name: string): void {
    this.names.delete(name);
    this.names.add(name);
    if (this.names.size > this.countMax) {
      for (const oldest of this.names) {
        this.names.delete(oldest);
        break;
      }
    }
  }
}
