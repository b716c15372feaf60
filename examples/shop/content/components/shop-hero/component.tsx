import Image from "@robbieblocks/image";
import type { Props } from "@robbieblocks/shop-hero/props";

export default function ShopHero({ title, text, picture, link, label }: Props) {
  return (
    <section className="shop-hero">
      <Image className="scene" media={picture} sizes="(min-width: 75rem) 70rem, 100vw" fit="cover" />
      <div className="say">
        <h1>{title}</h1>
        {text && <p>{text}</p>}
        {link && (
          <a className="go" href={link} data-pagefind-ignore="">
            {label}
          </a>
        )}
      </div>
    </section>
  );
}
