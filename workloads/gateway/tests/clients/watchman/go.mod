module kyb.dev/gateway/tests/clients/watchman

go 1.26

require github.com/moov-io/watchman v0.52.0

require (
	github.com/abadojack/whatlanggo v1.0.1 // indirect
	github.com/bbalet/stopwords v1.0.0 // indirect
	github.com/dongri/phonenumber v0.1.12 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.7 // indirect
	github.com/moov-io/base v0.55.0 // indirect
	github.com/moov-io/iso3166 v0.2.1 // indirect
	github.com/pariz/gountries v0.1.6 // indirect
	github.com/xrash/smetrics v0.0.0-20240521201337-686a1a2994c1 // indirect
	golang.org/x/text v0.25.0 // indirect
	gopkg.in/yaml.v2 v2.4.0 // indirect
)
