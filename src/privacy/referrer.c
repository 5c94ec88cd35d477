#include "crumb/privacy/referrer.h"

#include "crumb/privacy/anonymise.h"
#include "crumb/privacy/scrub.h"

/* Names before the public suffix: google is google.com, google.co.uk and www.google.de. Names that are common words are among the hosts. */
static const char *const search_names[] = {"google", "bing", "duckduckgo", "yahoo", "yandex", "ecosia", "baidu", "startpage", "qwant", "naver",
    "seznam", "sogou", "ask", "aol", "mojeek", "metager", "dogpile", "webcrawler", "lycos", "daum", "presearch", "swisscows", "kagi", "perplexity",
    "excite", "rambler", "gibiru"};
/* Hosts; whatever is below them counts too. */
static const char *const search_hosts[] = {"search.brave.com", "search.yahoo.com", "suche.t-online.de", "suche.web.de", "search.gmx.net",
    "suche.gmx.net", "nova.rambler.ru", "search.aol.com", "search.naver.com", "search.seznam.cz", "search.daum.net", "search.orange.fr",
    "lemoteur.orange.fr", "search.mail.ru", "go.mail.ru", "search.lilo.org", "search.marginalia.nu", "www.so.com", "m.so.com", "search.goo.ne.jp",
    "you.com", "info.com", "searx.be", "dogpile.com", "search.virgilio.it", "search.bt.com", "websearch.com", "search.com"};
static const char *const social_hosts[] = {"facebook.com", "fb.com", "fb.me", "instagram.com", "t.co", "twitter.com", "x.com", "linkedin.com",
    "lnkd.in", "youtube.com", "youtu.be", "reddit.com", "redd.it", "pinterest.com", "pin.it", "tiktok.com", "whatsapp.com", "wa.me", "telegram.org",
    "telegram.me", "t.me", "snapchat.com", "threads.net", "threads.com", "bsky.app", "mastodon.social", "vk.com", "vkontakte.ru", "ok.ru",
    "odnoklassniki.ru", "weibo.com", "t.cn", "xing.com", "tumblr.com", "quora.com", "discord.com", "discord.gg", "twitch.tv", "flickr.com",
    "vimeo.com", "line.me", "wechat.com", "weixin.qq.com", "qzone.qq.com", "douban.com", "news.ycombinator.com", "stackoverflow.com", "github.com",
    "meetup.com", "nextdoor.com", "livejournal.com", "myspace.com", "badoo.com", "viadeo.com", "tagged.com", "plurk.com", "hi5.com", "last.fm",
    "plus.google.com", "groups.google.com", "plus.url.google.com", "lemmy.world", "gab.com", "truthsocial.com", "rumble.com", "dailymotion.com",
    "slashdot.org", "digg.com", "stumbleupon.com", "pinboard.in", "goodreads.com", "behance.net", "dribbble.com", "medium.com", "substack.com",
    "skyrock.com", "tuenti.com", "workplace.com", "messenger.com", "kakao.com", "band.us", "mixi.jp", "taringa.net", "renren.com", "delicious.com",
    "foursquare.com", "gree.jp", "sonico.com", "multiply.com", "netlog.com", "orkut.com", "xanga.com", "buzznet.com", "friendster.com", "hyves.nl",
    "studivz.net", "wer-kennt-wen.de", "classmates.com", "cyworld.co.kr", "fotolog.com", "friendsreunited.co.uk", "gaiaonline.com", "geni.com",
    "ibibo.com", "mylife.ru", "netvibes.com", "sourceforge.net", "wooxie.com", "identi.ca"};

static bool below(struct str host, struct str domain)
{
	if (host.n < domain.n || !str_ieq(str_skip(host, host.n - domain.n), domain))
		return false;
	return host.n == domain.n || host.p[host.n - domain.n - 1] == '.';
}

static struct str without_www(struct str host)
{
	return str_starts(host, STR("www.")) ? str_skip(host, 4) : str_starts(host, STR("m.")) ? str_skip(host, 2) : host;
}

/* google in google.com, www.google.co.uk and news.google.de: the name is followed by one or two short parts. */
static bool named(struct str host, struct str name)
{
	for (size_t at = 0; at < host.n;) {
		struct str part = str_skip(host, at), rest;
		part.n = str_find(part, '.');
		rest = str_skip(host, at + part.n);
		if (str_ieq(part, name) && rest.n > 1) {
			rest = str_skip(rest, 1);
			size_t dot = str_find(rest, '.');
			return dot == rest.n || (dot <= 3 && str_find(str_skip(rest, dot + 1), '.') == rest.n - dot - 1);
		}
		at += part.n + 1;
	}
	return false;
}

enum referrer referrer_of_host(struct str host)
{
	for (size_t i = 0; i < sizeof social_hosts / sizeof *social_hosts; i++)
		if (below(host, str_c(social_hosts[i])))
			return REFERRER_SOCIAL;
	for (size_t i = 0; i < sizeof search_hosts / sizeof *search_hosts; i++)
		if (below(host, str_c(search_hosts[i])))
			return REFERRER_SEARCH;
	for (size_t i = 0; i < sizeof search_names / sizeof *search_names; i++)
		if (named(host, str_c(search_names[i])))
			return REFERRER_SEARCH;
	return REFERRER_OTHER;
}

enum referrer referrer_class(const struct config *c, struct str referrer, struct str host, struct str *outside)
{
	struct url_parts u;
	*outside = str_make("", 0);
	if (referrer.n == 0)
		return REFERRER_NONE;
	if (!url_split(referrer, &u))
		return REFERRER_OTHER;
	struct str ours = without_www(host), theirs = without_www(u.host);
	if ((ours.n && (below(theirs, ours) || below(ours, theirs))) || (*c->sites && site_is_ours(c, u.host)))
		return REFERRER_INTERNAL;
	*outside = u.host;
	return REFERRER_OTHER;
}
