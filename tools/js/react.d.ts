// React's own types are not fetched: the page's script calls five of its functions.
declare module "react";
declare module "react-dom";
declare module "react-dom/client";
