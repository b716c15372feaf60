export default function SiteHead() {
  return (
    <p className="site-head">
      <a href="/">RobbieBlocks</a> documentation
    </p>
  );
}
