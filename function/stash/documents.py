"""The GraphQL documents sent to Stash: only fields that every supported version has."""

_PERFORMER = """
  id name disambiguation alias_list urls image_path updated_at
  stash_ids { endpoint stash_id }
"""
_SCENE = """
  id title updated_at
  files { path size duration fingerprints { type value } }
  performers { id }
  tags { id name }
"""
_IMAGE = """
  id title updated_at
  paths { image }
  visual_files {
    ... on ImageFile { path width height }
    ... on VideoFile { path duration }
  }
  performers { id }
"""
_ITEM = "id updated_at performers { id } tags { id }"
_GALLERY = "id title folder { path } files { path } performers { id }"
_MARKER = "id title seconds end_seconds updated_at primary_tag { id }"

VERSION = "query Version { version { version } }"
COUNTS = "query Counts { stats { scene_count performer_count } }"
LIBRARIES = "query Libraries { configuration { general { stashes { path } } } }"
UI = "query Ui { configuration { ui } }"
SET_UI = """
mutation SetUi($key: String!, $value: Any) { configureUISetting(key: $key, value: $value) }
"""
STASH_BOXES = "query StashBoxes { configuration { general { stashBoxes { endpoint api_key } } } }"

PERFORMERS = f"""
query Performers($page: Int!, $per_page: Int!, $wanted: PerformerFilterType) {{
  findPerformers(
    filter: {{page: $page, per_page: $per_page, sort: "id", direction: ASC}}
    performer_filter: $wanted
  ) {{
    count
    performers {{ {_PERFORMER} }}
  }}
}}
"""
PERFORMER = f"query Performer($id: ID!) {{ findPerformer(id: $id) {{ {_PERFORMER} }} }}"
PERFORMERS_BY_TEXT = f"""
query PerformersByText($text: String!, $count: Int!) {{
  findPerformers(filter: {{q: $text, page: 1, per_page: $count}}) {{
    performers {{ {_PERFORMER} }}
  }}
}}
"""
NEWEST_PERFORMER = """
query Newest {
  findPerformers(filter: {page: 1, per_page: 1, sort: "updated_at", direction: DESC}) {
    performers { updated_at }
  }
}
"""
CREATE_PERFORMER = f"""
mutation CreatePerformer($input: PerformerCreateInput!) {{
  performerCreate(input: $input) {{ {_PERFORMER} }}
}}
"""
PERFORMER_USE = """
query PerformerUse($id: ID!) {
  findPerformer(id: $id) { updated_at scene_count image_count gallery_count group_count }
}
"""
DESTROY_PERFORMERS = """
mutation DestroyPerformers($ids: [ID!]!) { performersDestroy(ids: $ids) }
"""

SCENES = f"""
query Scenes($page: Int!, $per_page: Int!, $wanted: SceneFilterType) {{
  findScenes(
    filter: {{page: $page, per_page: $per_page, sort: "id", direction: ASC}}
    scene_filter: $wanted
  ) {{
    count
    scenes {{ {_SCENE} }}
  }}
}}
"""
SCENES_BY_ID = f"""
query ScenesById($ids: [ID!]!) {{
  findScenes(ids: $ids, filter: {{per_page: -1}}) {{ count scenes {{ {_SCENE} }} }}
}}
"""
SCENE = f"query Scene($id: ID!) {{ findScene(id: $id) {{ {_SCENE} }} }}"
UPDATE_ITEMS = {
    kind.lower(): f"""
mutation Update($input: Bulk{kind}UpdateInput!) {{
  bulk{kind}Update(input: $input) {{ {_ITEM} }}
}}
"""
    for kind in ("Scene", "Image", "Gallery")
}
"""By the kind of item."""

ITEMS = {
    kind.lower(): f"query Item($id: ID!) {{ find{kind}(id: $id) {{ {_ITEM} }} }}"
    for kind in ("Scene", "Image", "Gallery")
}

MARKERS = f"query Markers($id: ID!) {{ findScene(id: $id) {{ scene_markers {{ {_MARKER} }} }} }}"
CREATE_MARKER = f"""
mutation CreateMarker($input: SceneMarkerCreateInput!) {{
  sceneMarkerCreate(input: $input) {{ {_MARKER} }}
}}
"""
DESTROY_MARKERS = "mutation DestroyMarkers($ids: [ID!]!) { sceneMarkersDestroy(ids: $ids) }"

IMAGES = f"""
query Images($page: Int!, $per_page: Int!, $wanted: ImageFilterType) {{
  findImages(
    filter: {{page: $page, per_page: $per_page, sort: "id", direction: ASC}}
    image_filter: $wanted
  ) {{
    count
    images {{ {_IMAGE} }}
  }}
}}
"""
IMAGE = f"query Image($id: ID!) {{ findImage(id: $id) {{ {_IMAGE} }} }}"
GALLERY = f"query Gallery($id: ID!) {{ findGallery(id: $id) {{ {_GALLERY} }} }}"
GALLERIES = f"""
query Galleries($page: Int!, $per_page: Int!, $wanted: GalleryFilterType) {{
  findGalleries(
    filter: {{page: $page, per_page: $per_page, sort: "id", direction: ASC}}
    gallery_filter: $wanted
  ) {{
    count
    galleries {{ {_GALLERY} }}
  }}
}}
"""
NEWEST_IMAGE = """
query NewestImage {
  findImages(filter: {page: 1, per_page: 1, sort: "updated_at", direction: DESC}) {
    images { updated_at }
  }
}
"""

TAGS = """
query Tags($name: String!) {
  findTags(
    filter: {per_page: -1}
    tag_filter: {
      name: {value: $name, modifier: EQUALS}, OR: {aliases: {value: $name, modifier: EQUALS}}
    }
  ) { tags { id name aliases } }
}
"""
STUDIOS = """
query Studios($name: String!) {
  findStudios(
    filter: {per_page: -1}
    studio_filter: {
      name: {value: $name, modifier: EQUALS}, OR: {aliases: {value: $name, modifier: EQUALS}}
    }
  ) { studios { id name aliases } }
}
"""
CREATE_TAG = """
mutation CreateTag($input: TagCreateInput!) { tagCreate(input: $input) { id updated_at } }
"""
TAG_USE = """
query TagUse($id: ID!) {
  findTag(id: $id) {
    updated_at scene_count scene_marker_count image_count gallery_count group_count
    performer_count studio_count parent_count child_count
  }
}
"""
DESTROY_TAGS = "mutation DestroyTags($ids: [ID!]!) { tagsDestroy(ids: $ids) }"
