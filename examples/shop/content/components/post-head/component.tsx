import Image from "@robbieblocks/image";
import { day } from "@robbieblocks/shop-words";
import type { Props } from "@robbieblocks/post-head/props";

export default function PostHead({ title, date, picture }: Props) {
  return (
    <header className="post-head">
      <h1>{title}</h1>
      {date && <time dateTime={date}>{day(date, "en-IE")}</time>}
      {picture && <Image className="scene" media={picture} sizes="(min-width: 50rem) 44rem, 92vw" fit="cover" />}
    </header>
  );
}
