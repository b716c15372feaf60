import { words } from "@robbieblocks/shop-words";
import type { Props } from "@robbieblocks/shop-footer/props";

export default function ShopFooter({ lang }: Props) {
  const text = words(lang);
  return (
    <div className="shop-footer">
      <p>{text.foot}</p>
      <p>
        <a href="/shop/journal/atom.xml">Atom</a>
      </p>
    </div>
  );
}
