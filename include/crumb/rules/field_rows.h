/* The fields that a rule can look at: a row each, in the order in which they are told. Included
 * wherever something is made of all of them, with FIELD defined; rules/fields.h says what a row has
 * in it.
 *
 * A new field is a row here. A kept one needs a place in struct event and in the event's record,
 * too. */

FIELD(PATH, .name = "path", .aliases = "page", .kept = KEPT_WITH_EVENT, .from = FROM_TEXT,
    .at = offsetof(struct event, path), .is = IS_PATH, .takes = TAKES_REGEX,
    .says = "The page's path. `*` is anything within one part, `**` any number of parts, "
	    "a slash at the end does not matter. Case matters.",
    .example = "`/coats/*` matches `/coats/parka`, not `/coats` and not `/coats/men/parka`; "
	       "`/coats/**` matches all three")
FIELD(HOST, .name = "host", .aliases = "domain|hostname", .kept = KEPT_WITH_EVENT,
    .from = FROM_TEXT, .at = offsetof(struct event, host), .is = IS_HOST,
    .takes = TAKES_GLOB | TAKES_REGEX, .says = "The page's host; `*` is anything.",
    .example = "`\"*.blog.example\"`")
FIELD(SITE, .name = "site", .kept = KEPT_WITH_EVENT, .from = FROM_TEXT,
    .at = offsetof(struct event, host), .is = IS_HOST, .takes = TAKES_BELOW,
    .says =
	"A host and every one below it. Hosts of other alphabets may be written as they are read: "
	"`bücher.example` is `xn--bcher-kva.example`.",
    .example = "`shop.example` matches `www.shop.example`")
FIELD(EVENT, .name = "event", .aliases = "action|name", .kept = KEPT_WITH_EVENT, .from = FROM_TEXT,
    .at = offsetof(struct event, name), .is = IS_EVENT, .takes = TAKES_GLOB | TAKES_REGEX,
    .says = "The event's name; `*` is anything.", .example = "`purchase`, `video_*`")
FIELD(CAMPAIGN, .name = "campaign", .aliases = "utm_campaign", .kept = KEPT_WITH_EVENT,
    .from = FROM_TEXT, .at = offsetof(struct event, campaign), .is = IS_TEXT,
    .takes = TAKES_GLOB | TAKES_REGEX, .says = "`utm_campaign` of the page's URL; `*` is anything.",
    .example = "`spring*`")
FIELD(REFERRER, .name = "referrer", .aliases = "referer", .kept = KEPT_WITH_EVENT,
    .from = FROM_NUMBER, .at = offsetof(struct event, referrer), .is = IS_CLOSED,
    .words = referrer_names, .words_n = REFERRER_MAX, .slips = referrer_slips,
    .says = "Where the visitor came from; `internal` are your own pages.",
    .example = "`[search, social]`")
FIELD(COUNTRY, .name = "country", .aliases = "geo", .kept = KEPT_CIRCUMSTANCE, .from = FROM_COUNTRY,
    .is = IS_CLOSED, .known = known_country, .slips = country_slips,
    .hint = "countries are two letters, as in ISO 3166: US, GB, DE",
    .says = "The country, by the network's address: two letters of ISO 3166. Quote `\"NO\"`.",
    .example = "`[\"NO\", SE]`")
FIELD(REGION, .name = "region", .kept = KEPT_CIRCUMSTANCE, .from = FROM_REGION, .is = IS_CLOSED,
    .known = known_region, .hint = "a region is ENG, or GB-ENG with the country before it",
    .says = "The region, by the network's address: `ENG`, or `GB-ENG` with the country before it.",
    .example = "`GB-ENG`")
FIELD(DEVICE, .name = "device", .kept = KEPT_CIRCUMSTANCE, .from = FROM_NUMBER,
    .at = offsetof(struct event, agent) + offsetof(struct agent, device), .is = IS_CLOSED,
    .words = device_names, .words_n = DEVICE_MAX, .slips = device_slips,
    .says = "The kind of device.", .example = "`mobile`")
FIELD(OS, .name = "os", .kept = KEPT_CIRCUMSTANCE, .from = FROM_NUMBER,
    .at = offsetof(struct event, agent) + offsetof(struct agent, os), .is = IS_CLOSED,
    .words = os_names, .words_n = OS_MAX, .slips = os_slips, .says = "The operating system.",
    .example = "`[ios, android]`")
FIELD(BROWSER, .name = "browser", .kept = KEPT_CIRCUMSTANCE, .from = FROM_NUMBER,
    .at = offsetof(struct event, agent) + offsetof(struct agent, browser), .is = IS_CLOSED,
    .words = browser_names, .words_n = BROWSER_MAX, .slips = browser_slips, .says = "The browser.",
    .example = "`firefox`")
FIELD(ATTR, .name = "attr.", .named = "[A-Za-z0-9_]{1,32}", .aliases = "attribute|attr",
    .kept = KEPT_WITH_EVENT, .from = FROM_ATTRS, .is = IS_TEXT,
    .takes = TAKES_GLOB | TAKES_REGEX | TAKES_RANGE,
    .says = "An attribute of the event: a value or a glob (case does not matter), or a range: "
	    "`10..50`, `10..`, `..50`, `\"> 50\"`.",
    .example = "`attr.price: 100..`")
FIELD(TITLE, .name = "title", .aliases = "keyword|keywords|words", .kept = NOT_KEPT,
    .from = FROM_TEXT, .at = offsetof(struct leaf_input, title), .is = IS_WORDS,
    .takes = TAKES_REGEX,
    .says = "Words of the page's title: each must be there as a whole word, in any order; "
	    "case and accents do not matter.",
    .example = "`winter coat` matches “The COAT for Winter”, not “winter coats”")
FIELD(URL, .name = "url", .aliases = "uri", .kept = NOT_KEPT, .from = FROM_TEXT,
    .at = offsetof(struct leaf_input, url), .is = IS_TEXT, .takes = TAKES_GLOB | TAKES_REGEX,
    .says = "The page's whole URL as sent; `*` is anything.", .example = "`\"*gclid=*\"`")
FIELD(PARAM, .name = "p.", .named = ".+", .aliases = "param|query", .kept = NOT_KEPT,
    .from = FROM_PARAMS, .is = IS_TEXT, .takes = TAKES_GLOB | TAKES_REGEX | TAKES_RANGE,
    .says = "A parameter that the page sends as `p_NAME`: as `attr.NAME`.",
    .example = "`p.color: re*`")
