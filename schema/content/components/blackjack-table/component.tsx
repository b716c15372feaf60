import { useEffect, useId, useRef, useState } from "react";
import type { KeyboardEvent, ReactNode, Ref } from "react";

type Suit = "spades" | "hearts" | "diamonds" | "clubs";
type Card = { rank: string; suit: Suit; id: number };
type Phase = "betting" | "playing" | "over";
type Outcome = "blackjack" | "win" | "push" | "lose" | "bust";

interface Table {
  phase: Phase;
  shoe: Card[];
  player: Card[];
  dealer: Card[];
  stake: number;
  chips: number;
  outcome: Outcome | null;
  said: string;
  hands: number;
  won: number;
}

interface BlackjackProps {
  title: string;
  minBet: number;
  maxBet: number;
  bankroll: number;
  decks: number;
  chip: string;
  heading: "h1" | "h2";
}

const SUITS: Suit[] = ["spades", "hearts", "diamonds", "clubs"];
const RANKS = ["A", "2", "3", "4", "5", "6", "7", "8", "9", "10", "J", "Q", "K"];
const PIPS = {
  spades: "M12 2C9 7 3 10 3 15a4.5 4.5 0 0 0 8 2.8L9.5 22h5L13 17.800A4.5 4.5 0 0 0 21 15c0-5-6-8-9-13z",
  hearts: "M12 21C6 16 2.5 12.5 2.5 8.3A4.8 4.8 0 0 1 12 6.5a4.8 4.8 0 0 1 9.5 1.8C21.5 12.5 18 16 12 21z",
  diamonds: "M12 2l7.5 10L12 22 4.5 12z",
  clubs: "M12 2a4.6 4.6 0 0 0-3.9 7A4.6 4.6 0 1 0 11 16.600L9.5 22h5L13 16.600A4.6 4.6 0 1 0 15.9 9 4.6 4.6 0 0 0 12 2z",
};
const NAMES: Record<string, string> = { A: "Ace", J: "Jack", Q: "Queen", K: "King" };

const REMARKS: Record<Outcome, string[]> = {
  blackjack: ["Blackjack. I shuffled that myself, so you are welcome.", "A natural. Pays three to two, and my respect."],
  win: ["Yours. The house will recover.", "You win. I am happy for you in the only way I can be.", "Well stood."],
  push: ["A push. Nobody learned anything.", "Even. Your chips come home unharmed."],
  lose: ["The house takes it. It has a roof to pay for.", "Mine. Nothing personal; I have no person.", "So close that I nearly felt it."],
  bust: ["Bust. The card was brave, and so were you.", "Over twenty-one. Arithmetic is a strict dealer."],
};

/** Uniform in 0..below-1. Called from event handlers alone: a render must not throw dice. */
function pick(below: number): number {
  const limit = Math.floor(2 ** 32 / below) * below;
  const draw = new Uint32Array(1);
  do crypto.getRandomValues(draw);
  while (draw[0] >= limit);
  return draw[0] % below;
}

/** Whole decks in the order of Fisher and Yates. */
function shuffledShoe(decks: number): Card[] {
  const shoe = Array.from({ length: decks * 52 }, (_, id) => ({
    id,
    rank: RANKS[id % 13],
    suit: SUITS[Math.floor(id / 13) % 4],
  }));
  for (let last = shoe.length - 1; last > 0; last -= 1) {
    const other = pick(last + 1);
    [shoe[last], shoe[other]] = [shoe[other], shoe[last]];
  }
  return shoe;
}

/** An ace is eleven until that is one too many, then one. */
function value(hand: Card[]): { points: number; soft: boolean } {
  let points = 0;
  let elevens = 0;
  for (const { rank } of hand) {
    if (rank === "A") elevens += 1;
    points += rank === "A" ? 11 : Number(rank) || 10;
  }
  while (points > 21 && elevens > 0) {
    points -= 10;
    elevens -= 1;
  }
  return { points, soft: elevens > 0 };
}

function natural(hand: Card[]): boolean {
  return hand.length === 2 && value(hand).points === 21;
}

function spoken(hand: Card[]): string {
  const { points, soft } = value(hand);
  return `${soft && points < 21 ? "soft " : ""}${points}`;
}

function amount(chips: number): string {
  return Number.isInteger(chips) ? String(chips) : chips.toFixed(1);
}

function judged(player: Card[], dealer: Card[]): Outcome {
  const mine = value(player).points;
  const theirs = value(dealer).points;
  if (mine > 21) return "bust";
  if (natural(player) && !natural(dealer)) return "blackjack";
  if (natural(dealer) && !natural(player)) return "lose";
  if (theirs > 21 || mine > theirs) return "win";
  return mine === theirs ? "push" : "lose";
}

/** What comes back from the table for each chip staked: blackjack pays 3:2. */
const RETURNS: Record<Outcome, number> = { blackjack: 2.5, win: 2, push: 1, lose: 0, bust: 0 };

function settled(table: Table): Table {
  const outcome = judged(table.player, table.dealer);
  const back = table.stake * RETURNS[outcome];
  const gain = back - table.stake;
  const remarks = REMARKS[outcome];
  const sum = gain > 0 ? `Plus ${amount(gain)}.` : gain < 0 ? `Minus ${amount(-gain)}.` : "No change.";
  return {
    ...table,
    phase: "over",
    outcome,
    chips: table.chips + back,
    hands: table.hands + 1,
    won: table.won + (gain > 0 ? 1 : 0),
    said: `You ${value(table.player).points}, dealer ${value(table.dealer).points}. ${remarks[pick(remarks.length)]} ${sum}`,
  };
}

function dealt(table: Table, bet: number, decks: number): Table {
  const shoe = table.shoe.length < decks * 13 ? shuffledShoe(decks) : table.shoe.slice();
  const [first, second, third, fourth] = shoe.splice(0, 4);
  const next: Table = {
    ...table,
    phase: "playing",
    shoe,
    player: [first, third],
    dealer: [second, fourth],
    stake: bet,
    chips: table.chips - bet,
    outcome: null,
    said: "",
  };
  if (natural(next.player) || natural(next.dealer)) return settled(next);
  return { ...next, said: `You have ${spoken(next.player)}. The dealer shows ${spoken([second])}.` };
}

function hit(table: Table): Table {
  const [card, ...shoe] = table.shoe;
  const next = { ...table, shoe, player: [...table.player, card] };
  const { points } = value(next.player);
  if (points > 21) return settled(next);
  if (points === 21) return stood(next);
  return { ...next, said: `You draw ${named(card)} and have ${spoken(next.player)}.` };
}

/** The dealer draws to seventeen and stands on every seventeen, soft or not. */
function stood(table: Table): Table {
  const shoe = table.shoe.slice();
  const dealer = table.dealer.slice();
  while (value(dealer).points < 17) dealer.push(shoe.shift() as Card);
  return settled({ ...table, shoe, dealer });
}

function doubled(table: Table): Table {
  const [card, ...shoe] = table.shoe;
  const next = {
    ...table,
    shoe,
    player: [...table.player, card],
    chips: table.chips - table.stake,
    stake: table.stake * 2,
  };
  return value(next.player).points > 21 ? settled(next) : stood(next);
}

function named(card: Card): string {
  return `${NAMES[card.rank] ?? card.rank} of ${card.suit}`;
}

function Pip({ suit }: { suit: Suit }) {
  return (
    <svg viewBox="0 0 24 24">
      <path d={PIPS[suit]} fill="currentColor" />
    </svg>
  );
}

function Face({ card, hidden }: { card: Card; hidden: boolean }) {
  if (hidden) {
    return (
      <li className="card card-back">
        <span className="rb-unseen">A card face down</span>
      </li>
    );
  }
  return (
    <li className="card" data-red={card.suit === "hearts" || card.suit === "diamonds"}>
      <span className="rb-unseen">{named(card)}</span>
      <span className="card-corner" aria-hidden="true">
        {card.rank}
        <Pip suit={card.suit} />
      </span>
      <span className="card-suit" aria-hidden="true">
        <Pip suit={card.suit} />
      </span>
    </li>
  );
}

interface MoveProps {
  ref?: Ref<HTMLButtonElement>;
  shortcut: string;
  off: boolean;
  act: () => void;
  first?: boolean;
  children: ReactNode;
}

/** What is `disabled` drops the keyboard's focus when it is clicked; this keeps it at the table. */
function Move({ ref, shortcut, off, act, first, children }: MoveProps) {
  return (
    <button
      ref={ref}
      type="button"
      data-variant={first ? "primary" : undefined}
      aria-keyshortcuts={shortcut}
      aria-disabled={off}
      onClick={off ? undefined : act}
    >
      {children}
    </button>
  );
}

export default function BlackjackTable({ title, minBet, maxBet, bankroll, decks, chip, heading: Heading }: BlackjackProps) {
  const [table, setTable] = useState<Table>({
    phase: "betting",
    shoe: [],
    player: [],
    dealer: [],
    stake: 0,
    chips: bankroll,
    outcome: null,
    said: `The table is open. Bets from ${minBet} to ${maxBet}.`,
    hands: 0,
    won: 0,
  });
  const [bet, setBet] = useState(minBet);
  const id = useId();
  const deals = useRef<HTMLButtonElement>(null);
  const moves = useRef<HTMLButtonElement>(null);
  const acted = useRef(false);

  const { phase, player, dealer, chips } = table;
  const most = Math.min(maxBet, Math.floor(chips));
  const wager = Math.max(minBet, Math.min(bet, most));
  const broke = phase !== "playing" && chips < minBet;
  const canDouble = phase === "playing" && player.length === 2 && chips >= table.stake;
  const Hand = Heading === "h1" ? "h2" : "h3";
  const playing = phase === "playing";
  const hole = playing;

  // The keyboard goes on with the first button that does something.
  useEffect(() => {
    if (acted.current) (phase === "playing" ? moves : deals).current?.focus();
    acted.current = false;
  }, [phase, broke]);

  const act = (next: (table: Table) => Table) => {
    acted.current = true;
    setTable(next(table));
  };

  const deal = () => {
    setBet(wager);
    act((now) => dealt(now, wager, decks));
  };

  const again = () =>
    act((now) => ({
      ...now,
      phase: "betting",
      player: [],
      dealer: [],
      chips: bankroll,
      outcome: null,
      said: `The house stakes you ${bankroll}. It expects a thank-you note.`,
    }));

  const keys: Record<string, (() => void) | false> = {
    d: phase !== "playing" && !broke && deal,
    h: phase === "playing" && (() => act(hit)),
    s: phase === "playing" && (() => act(stood)),
    x: canDouble && (() => act(doubled)),
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const action = keys[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  };

  return (
    <section className="jack" aria-labelledby={`${id}-title`} onKeyDown={onKeyDown}>
      <header className="jack-head">
        <Heading id={`${id}-title`} className="jack-title">
          {title}
        </Heading>
        <dl className="jack-score">
          <div>
            <dt>{chip}</dt>
            <dd data-testid="chips">{amount(chips)}</dd>
          </div>
          <div>
            <dt>Stake</dt>
            <dd>{phase === "playing" ? amount(table.stake) : "–"}</dd>
          </div>
          <div>
            <dt>Won</dt>
            <dd>
              {table.won}/{table.hands}
            </dd>
          </div>
        </dl>
      </header>

      <div className="jack-felt" data-outcome={table.outcome ?? undefined}>
        <div className="jack-side">
          <Hand className="jack-whose">
            Dealer <span>{dealer.length === 0 ? "" : hole ? `${spoken(dealer.slice(0, 1))} + ?` : spoken(dealer)}</span>
          </Hand>
          <ul className="jack-hand" aria-label="The dealer's hand">
            {dealer.map((card, index) => (
              <Face key={`${card.id}-${hole && index === 1}`} card={card} hidden={hole && index === 1} />
            ))}
            {dealer.length === 0 && <li className="card card-place" aria-hidden="true" />}
          </ul>
        </div>
        <p className="jack-print" aria-hidden="true">
          Blackjack pays 3 to 2 <span>Dealer stands on 17</span>
        </p>
        <div className="jack-side">
          <Hand className="jack-whose">
            You <span>{player.length === 0 ? "" : spoken(player)}</span>
          </Hand>
          <ul className="jack-hand" aria-label="Your hand">
            {player.map((card) => (
              <Face key={card.id} card={card} hidden={false} />
            ))}
            {player.length === 0 && <li className="card card-place" aria-hidden="true" />}
          </ul>
        </div>
      </div>

      <p className="jack-said" role="status">
        {broke ? `Out of ${chip.toLowerCase()}. ${table.said}` : table.said}
      </p>

      {/* Each button has one place for good: whoever presses twice by mistake presses no other. */}
      <div className="jack-controls">
        {broke ? (
          <button ref={deals} type="button" data-variant="primary" onClick={again}>
            Start over with {bankroll}
          </button>
        ) : (
          <div className="jack-bet">
            <button type="button" aria-label="Lower the bet" onClick={() => setBet(wager - minBet)} disabled={playing || wager <= minBet}>
              −
            </button>
            <label htmlFor={`${id}-bet`}>Bet</label>
            <input
              id={`${id}-bet`}
              type="number"
              inputMode="numeric"
              min={minBet}
              max={most}
              value={bet}
              disabled={playing}
              onChange={(event) => setBet(Math.floor(Number(event.target.value)))}
              onBlur={() => setBet(wager)}
            />
            <button type="button" aria-label="Raise the bet" onClick={() => setBet(wager + minBet)} disabled={playing || wager + minBet > most}>
              +
            </button>
            <Move ref={deals} shortcut="d" off={playing} act={deal} first>
              {table.hands === 0 ? "Deal" : "Deal again"}
            </Move>
          </div>
        )}
        <div className="jack-moves">
          <Move ref={moves} shortcut="h" off={!playing} act={() => act(hit)} first>
            Hit
          </Move>
          <Move shortcut="s" off={!playing} act={() => act(stood)}>
            Stand
          </Move>
          <Move shortcut="x" off={!canDouble} act={() => act(doubled)}>
            Double
          </Move>
        </div>
      </div>
      <p className="jack-keys">
        <kbd>D</kbd> deal <kbd>H</kbd> hit <kbd>S</kbd> stand <kbd>X</kbd> double <span>while the table has the focus</span>
      </p>
    </section>
  );
}
