import Image from "@robbieblocks/image";
import { price, words } from "@robbieblocks/shop-words";
import type { Props } from "@robbieblocks/piece/props";

export default function Piece(piece: Props) {
  const text = words(piece.lang);
  const glazes: Record<string, string> = text.glazes;
  return (
    <article className="piece">
      <div className="stand">
        <Image media={piece.picture} sizes="(min-width: 48rem) 28rem, 90vw" priority />
      </div>
      <div className="facts">
        <p className="kind">{piece.kind_name}</p>
        <h1>{piece.name}</h1>
        <p className="about">{piece.about}</p>
        <dl>
          <dt>{text.glaze}</dt>
          <dd>{glazes[piece.glaze] ?? piece.glaze}</dd>
          <dt>{text.high}</dt>
          <dd>{piece.height_mm / 10} cm</dd>
        </dl>
        <p className="price">{price(piece.price_cents, text.locale)}</p>
        <p className="stock">{piece.stock === 0 ? text.soldOut : text.left(piece.stock)}</p>
        <p className="ways" data-pagefind-ignore="">
          <a className="ask" href={`${text.contact}?piece=${encodeURIComponent(piece.name)}`}>
            {text.ask}
          </a>
          <a href={text.shelf}>{text.back}</a>
        </p>
      </div>
    </article>
  );
}
