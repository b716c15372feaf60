import Image from "@robbieblocks/image";
import { price, words } from "@robbieblocks/shop-words";
import type { Props } from "@robbieblocks/shelf/props";

export default function Shelf({ title, level, lang, filter, pieces }: Props) {
  const text = words(lang);
  const Heading = level === 1 ? "h1" : "h2";
  const [kind, setKind] = useState("");
  const kinds = [...new Set(pieces.map((piece) => piece.kind_name))].sort();
  const shown = pieces.filter((piece) => kind === "" || piece.kind_name === kind);
  return (
    <section className="shelf" aria-label={title || undefined}>
      {title && <Heading>{title}</Heading>}
      {filter && (
        <fieldset>
          <legend>{text.kinds}</legend>
          {["", ...kinds].map((each) => (
            <button type="button" key={each} aria-pressed={kind === each} onClick={() => setKind(each)}>
              {each || text.all}
            </button>
          ))}
        </fieldset>
      )}
      <ul role="list">
        {shown.map((piece) => (
          <li key={piece.route}>
            <a href={piece.route}>
              <span className="stand">
                <Image media={piece.picture} sizes="12rem" alt="" />
              </span>
              <span className="name">{piece.name}</span>
            </a>
            <span className="price">
              {piece.stock === 0 ? text.soldOut : price(piece.price_cents, text.locale)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
